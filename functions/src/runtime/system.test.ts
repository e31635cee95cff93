import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { after, newId, newSecret, now, random, useSystem, wait, type System } from './system.ts';

/** A system that stands still: timers run when `pass` lets the time go on. */
function still(): System & { pass: (ms: number) => void } {
  let time = 5_000;
  let timers: { at: number; act: () => void }[] = [];
  return {
    now: () => time,
    newId: () => 'id-1',
    random: () => 0.25,
    after(ms, act) {
      const timer = { at: time + ms, act };
      timers.push(timer);
      return () => { timers = timers.filter((each) => each !== timer); };
    },
    pass(ms) {
      time += ms;
      const due = timers.filter(({ at }) => at <= time);
      timers = timers.filter(({ at }) => at > time);
      for (const { act } of due) act();
    },
  };
}

describe('system: clock, timers and chance', () => {
  afterEach(() => useSystem(null));

  it('are the real ones at first', () => {
    const before = Date.now();
    assert.ok(now() >= before && now() <= Date.now());
    assert.ok(random() >= 0 && random() < 1);
  });

  it('make ids that are safe in paths and never the same', () => {
    const ids = Array.from({ length: 1_000 }, newId);
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{20}$/);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('make secrets of 192 bits, never the same, also where a replacement has none', () => {
    for (const system of [null, still()]) {
      useSystem(system);
      const secrets = Array.from({ length: 1_000 }, newSecret);
      for (const secret of secrets) assert.match(secret, /^[A-Za-z0-9_-]{32}$/);
      assert.equal(new Set(secrets).size, secrets.length);
    }
    useSystem({ ...still(), newSecret: () => 'secret-1' });
    assert.equal(newSecret(), 'secret-1');
  });

  it('can be replaced, also behind functions that were passed on before', () => {
    const passedOn = { now, newId, random };
    useSystem(still());
    assert.deepEqual([passedOn.now(), passedOn.newId(), passedOn.random()], [5_000, 'id-1', 0.25]);
  });

  it('are the real ones again after null', () => {
    useSystem(still());
    useSystem(null);
    assert.notEqual(now(), 5_000);
    assert.notEqual(newId(), 'id-1');
  });

  it('run what is planned after its time, once', () => {
    const system = still();
    useSystem(system);
    const ran: string[] = [];
    after(10, () => ran.push('ten'));
    after(20, () => ran.push('twenty'));
    system.pass(9);
    assert.deepEqual(ran, []);
    system.pass(1);
    system.pass(100);
    assert.deepEqual(ran, ['ten', 'twenty']);
  });

  it('do not run what was cancelled', () => {
    const system = still();
    useSystem(system);
    after(10, () => assert.fail('cancelled'))();
    system.pass(100);
  });

  it('keep the time of the process when they are the real ones', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const ran: string[] = [];
      after(10, () => ran.push('ten'));
      after(10, () => ran.push('cancelled'))();
      mock.timers.tick(9);
      assert.deepEqual(ran, []);
      mock.timers.tick(1);
      assert.deepEqual(ran, ['ten']);
    } finally {
      mock.timers.reset();
    }
  });

  it('end a wait when its time is over', async () => {
    const system = still();
    useSystem(system);
    const waited = wait(30).then(() => now());
    system.pass(30);
    assert.equal(await waited, 5_030);
  });
});
