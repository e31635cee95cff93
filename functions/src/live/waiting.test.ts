import assert from 'node:assert/strict';
import { outcomeOf, slowModel, TurnsWorld } from '../../test/turns-world.ts';
import { closeMeter } from './drain.ts';
import { updateMeter } from './store.ts';
import { withdraw } from './withdrawal.ts';

const queue = true;
const busy = 'aborted turn_in_progress';

describe('live: turns that wait', () => {
  let world: TurnsWorld;

  beforeEach(async () => {
    world = new TurnsWorld();
    await world.open({ limits: { maxQueuedTurns: 3 } });
  });
  afterEach(() => world.close());

  /** Nothing is left of a turn that did not begin. */
  const assertGone = (requestKey: string): void => {
    assert.equal(world.meter.queue, undefined);
    assert.equal(world.records[requestKey], undefined);
  };

  it('take place one after the other, in the order of arrival, and say how long they waited', async () => {
    const first = world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const waiting = [world.turn('r1', { by: 'p1', queue }), world.turn('r1', { by: 'p2', queue }), world.turn('r2', { queue })];
    await world.pass(500);
    assert.deepEqual(Object.values(world.meter.queue!).map(({ place, by, at, until }) => [place, by, at - world.now, until - at]), [[1, 'p1', -500, 20_000], [2, 'p2', -500, 20_000], [3, undefined, -500, 20_000]]);
    await world.pass(10_000);
    assert.deepEqual(await Promise.all([first, ...waiting].map(outcomeOf)), [[1, 0], [2, 2_900], [3, 3_900], [4, 4_900]]);
    assert.deepEqual([world.meter.consumed, world.meter.turn, world.meter.queue, world.meter.longWaits], [4, undefined, undefined, 3]);
    assert.deepEqual(world.logged.filter((entry) => 'waitedMs' in entry), [2_900, 3_900, 4_900].map((waitedMs, index) => ({ message: 'turn waited', sessionId: 's1', turnId: `t${index + 2}`, waitedMs })));
    assert.equal((await closeMeter('s1', 'user', () => world.now) as { longWaits: number }).longWaits, 3);
  });

  it('look again only when it may be their turn, and every three seconds for one that died', async () => {
    let attempts = 0;
    const { gate } = world;
    world.gate = (io, apply) => {
      if (io.kind === 'transaction' && io.paths.some((path) => path.includes('meters/'))) attempts++;
      return gate(io, apply);
    };
    const turns = [world.turn('r1', { model: slowModel(5_000) })];
    await world.pass(100);
    turns.push(...['r2', 'r3', 'r4'].map((requestId) => world.turn(requestId, { queue })));
    await world.pass(10_000);
    assert.deepEqual((await Promise.all(turns.map(outcomeOf))).length, 4);
    assert.ok(attempts <= 4 + 4 + 3 + 3, `${attempts} times, for a lease and a posting each, three tickets and a look of each`);
  });

  it('of up to 2 s are not worth telling of', async () => {
    void world.turn('r1', { model: slowModel(2_100) });
    await world.pass(100);
    const second = world.turn('r2', { queue });
    await world.pass(5_000);
    assert.deepEqual([await outcomeOf(second), world.meter.longWaits, world.logged], [[2, 2_000], undefined, []]);
  });

  it('do not wait where nobody takes a turn', async () => {
    const turn = world.turn('r1', { queue });
    await world.pass(1_000);
    assert.deepEqual(await outcomeOf(turn), [1, 0]);
  });

  it('are refused without queue, also while others wait for a free meter, and leave nothing', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const before = world.meter;
    await assert.rejects(world.turn('r2', { by: 'p1' }), { code: 'aborted', details: { reason: 'turn_in_progress', retryAfterMs: 1_000 } });
    assert.deepEqual([world.meter, Object.keys(world.records)], [before, ['r1']]);
    await updateMeter('s1', (meter) => ({ ...meter!, queue: { dead: { place: 1, at: world.now, until: world.now + 20_000 } } }));
    await world.pass(3_000);
    assert.equal(await outcomeOf(world.turn('r2', { by: 'p1' })), busy);
    assert.deepEqual(Object.keys(world.meter.queue!), ['dead']);
  });

  it('that have died cost those behind them two seconds each', async () => {
    const dead = (place: number) => ({ place, at: world.now, until: world.now + 20_000 });
    void world.turn('r1');
    await world.settle();
    await updateMeter('s1', (meter) => ({ ...meter!, queue: { dead1: dead(1), dead2: dead(2) } }));
    const next = world.turn('r2', { queue });
    await world.pass(4_999);
    assert.equal(world.meter.turn, undefined);
    await world.pass(1_001);
    assert.deepEqual(await outcomeOf(next), [2, 5_000]);
    assert.deepEqual(Object.keys(world.meter.queue!), ['dead1', 'dead2'], 'who was only slow keeps its place');
  });

  it('are refused when their time is over, and when enough wait', async () => {
    void world.turn('r1', { model: slowModel(40_000) });
    await world.pass(100);
    const waiting = ['r2', 'r3', 'r4'].map((requestId) => world.turn(requestId, { queue }));
    await world.settle();
    assert.equal(await outcomeOf(world.turn('r5', { queue })), busy);
    assert.equal(Object.keys(world.meter.queue!).length, 3);
    await world.pass(19_999);
    assert.equal(Object.keys(world.meter.queue!).length, 3);
    await world.pass(1);
    assert.deepEqual(await Promise.all(waiting.map(outcomeOf)), [busy, busy, busy]);
    for (const requestId of ['r2', 'r3', 'r4', 'r5']) assertGone(requestId);
    await world.pass(20_000);
    assert.equal(world.meter.consumed, 1);
  });

  it('whose caller goes are charged nothing, let the next one pass, and may be asked for again', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const caller = new AbortController();
    const [gone, next] = [world.turn('r2', { queue, gone: caller.signal }), world.turn('r3', { queue })];
    await world.pass(100);
    caller.abort();
    assert.equal(await outcomeOf(gone), busy);
    assert.deepEqual([Object.keys(world.meter.queue!), Object.keys(world.records)], [['t3'], ['r1', 'r3']]);
    await world.pass(4_000);
    assert.deepEqual(await outcomeOf(next), [2, 2_900]);
    const again = world.turn('r2', { queue });
    await world.pass(1_000);
    assert.deepEqual(await outcomeOf(again), [3, 0]);
  });

  it('end with their session', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const waiting = [world.turn('r2', { queue }), world.turn('r2', { by: 'p1', queue })];
    await world.pass(100);
    await Promise.all([closeMeter('s1', 'user', () => world.now), world.pass(10)]);
    await world.members({ u1: 'owner' });
    assert.deepEqual(await Promise.all(waiting.map(outcomeOf)), ['failed-precondition session_closed', 'failed-precondition session_closed']);
    for (const key of ['r2', 'r2:p1']) assertGone(key);
  });

  it('end with the membership of who asked', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const [removed, next] = [world.turn('r2', { by: 'p1', queue }), world.turn('r2', { by: 'p2', queue })];
    await world.pass(100);
    await world.members({ u1: 'owner', p2: 'player' });
    assert.equal(await outcomeOf(removed), 'not-found not_found');
    assert.deepEqual(Object.keys(world.meter.queue!), ['t3']);
    await world.pass(4_000);
    assert.deepEqual(await outcomeOf(next), [2, 2_900]);
  });

  it('of a client that was taken over end when their turn comes', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const old = world.turn('r2', { queue, generation: 1 });
    await world.settle();
    await updateMeter('s1', (meter) => ({ ...meter!, generation: 2 }));
    await world.pass(3_000);
    assert.equal(await outcomeOf(old), 'failed-precondition session_superseded');
    assertGone('r2');
  });

  it('are refused at once to who may not take them', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const before = world.meter;
    assert.equal(await outcomeOf(world.turn('r2', { by: 's1', queue })), 'permission-denied spectator');
    assert.equal(await outcomeOf(world.turn('r2', { by: 'x1', queue })), 'not-found not_found');
    assert.deepEqual([world.meter, Object.keys(world.records)], [before, ['r1']]);
  });

  it('have their request kept for as long as they may wait and take', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    void world.turn('r2', { queue });
    await world.settle();
    const { turnTimeoutSeconds } = world.session.config.limits;
    assert.equal(world.records['r2']!.expiresAt - world.now, 20_000 + turnTimeoutSeconds * 1_000 + 20_000);
    assert.equal(await outcomeOf(world.turn('r2', { queue })), 'aborted request_in_progress');
    await world.pass(6_000);
  });

  it('resolve the turn of a holder that has died, once its lease is over', async () => {
    await updateMeter('s1', (meter) => ({ ...meter!, turn: { requestId: 'dead', fence: 'd', held: 5, inputPrice: 2, expiresAt: world.now + 7_000 } }));
    await world.database.ref('requests/s1/dead').set({ hash: 'h', state: 'running', expiresAt: world.now + 60_000, turnId: 'd', input: '{}', model: 'm' });
    const waiting = [world.turn('r1', { queue }), world.turn('r2', { by: 'p1', queue })];
    await world.pass(6_999);
    assert.equal(world.meter.turn!.fence, 'd');
    await world.pass(3_001);
    assert.deepEqual(await Promise.all(waiting.map(outcomeOf)), [[3, 7_000], [4, 8_000]]);
    assert.deepEqual([world.records['dead']!.cost, world.streams['d']], [2, ['error']]);
  });

  it('are stood in line for again by who was taken for dead', async () => {
    void world.turn('r1', { model: slowModel(3_000) });
    await world.pass(100);
    const waiting = world.turn('r2', { queue });
    await world.settle();
    await updateMeter('s1', (meter) => withdraw(meter!, 't2', { unpaid: false, idleMs: 0 }, world.now));
    await world.pass(100);
    assert.deepEqual(Object.keys(world.meter.queue!), ['t2']);
    await world.pass(4_000);
    assert.deepEqual(await outcomeOf(waiting), [2, 2_900]);
  });
});
