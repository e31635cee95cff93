import assert from 'node:assert/strict';
import type { Meter } from '../live/meter.ts';
import { followPresence } from '../presence/store.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import { Stage } from '../../test/simulator/stage.ts';
import { endSession } from '../sessions/lifecycle.ts';
import { runSweep } from './sweep.ts';

describe('sweep: what it does with a session', () => {
  let stage: Stage;

  /** Begins a session on a stage of its own. */
  async function open(options: ConstructorParameters<typeof Stage>[0] = {}): Promise<void> {
    stage = new Stage(options);
    await stage.play([() => stage.clients.start('ann', 0, false), () => stage.turn('first')]);
  }
  afterEach(() => stage.world.close());

  const session = () => stage.sessions()[0]!;
  const sweepAfter = (minutes: number) => stage.play([() => stage.pass(minutes), () => stage.clients.sweep()]);

  it('leaves one open that is in use, and ends it when it is idle', async () => {
    await open();
    await sweepAfter(9);
    assert.equal(session().status, 'active');
    await sweepAfter(1);
    assert.deepEqual([session().closeReason, session().settlement], ['idle', 'done']);
  });

  it('ends one whose time is over, however busy it is', async () => {
    await open();
    for (let turn = 0; turn < 8; turn++) await stage.play([() => stage.pass(7), () => stage.turn(`r${turn}`)]);
    await sweepAfter(4);
    assert.deepEqual([session().closeReason, session().settlement], ['expired', 'done']);
  });

  it('honours the timeouts of its product', async () => {
    const timeouts = (sessionTimeoutMinutes: number, idleTimeoutMinutes: number): Promise<void> => {
      stage = new Stage();
      return stage.play([
        () => stage.world.call(stage.pool[0]!, () => stage.world.firestore.doc('products/scout').update({ sessionTimeoutMinutes, idleTimeoutMinutes })),
        () => stage.clients.start('ann', 0, false), () => stage.turn('first'),
      ]);
    };
    await timeouts(30, 3);
    await sweepAfter(2);
    assert.equal(session().status, 'active');
    await sweepAfter(1);
    assert.equal(session().closeReason, 'idle');
    await stage.world.close();
    await timeouts(30, 300);
    await sweepAfter(29);
    assert.equal(session().status, 'active');
    await sweepAfter(1);
    assert.equal(session().closeReason, 'expired');
  });

  it('shows that one is paused whose owner is away, once, and ends it when the owner stays away', async () => {
    await open();
    const { sessionId } = session();
    const inProcess = <T>(act: () => Promise<T>): Promise<T> => stage.world.call(stage.pool[0]!, act);
    const connection = (at: number | null) => inProcess(() => liveDatabase(sessionId).ref(`presence/${sessionId}/ann/laptop/at`).set(at).then(() => followPresence(sessionId, 'ann', now)));
    const reports: number[][] = [];
    const report = async (): Promise<void> => {
      const { ended, paused, failed } = await inProcess(() => runSweep(now));
      reports.push([ended, paused, failed]);
    };
    const shown = () => (stage.world.node(`live/${sessionId}`) as { pausedAt?: number }).pausedAt;
    // Somebody else keeps it busy.
    const busy = () => inProcess(() => liveDatabase(sessionId).ref(`meters/${sessionId}/ownerAway/idleAt`).set(now() + 3_600_000));
    await stage.play([() => connection(now()), () => connection(null), busy, () => stage.pass(1), report, () => stage.pass(1), report]);
    const pausedAt = (stage.world.node(`meters/${sessionId}`) as Meter).ownerAway!.pausesAt;
    assert.deepEqual([reports, shown()], [[[0, 0, 0], [0, 1, 0]], pausedAt]);
    await stage.play([report, () => stage.pass(9), report]);
    assert.deepEqual([reports.slice(2), session().status], [[[0, 0, 0], [0, 0, 0]], 'active']);
    await stage.play([() => stage.pass(1), report]);
    assert.deepEqual([reports.at(-1), session().closeReason, session().settlement, shown()], [[1, 0, 0], 'idle', 'done', undefined]);
  });

  it('reaches beyond those that cannot be ended', async () => {
    await open();
    const ids = Array.from({ length: 130 }, (_, index) => `${index < 120 ? 'bad' : 'good'}-${index}`);
    const due = (index: number) => ({ open: false, generation: 1, limit: 0, consumed: 0, checkpointed: 0, expiresAt: 1, dueAt: index + 1 });
    await stage.play([() => stage.world.call(stage.pool[0]!, () => liveDatabase('any').ref('meters').update(Object.fromEntries(ids.map((id, index) => [id, due(index)]))))]);
    stage.world.faultOf = (_process, { paths }) => (paths.some((path) => path.startsWith('sessions/bad')) ? 'fail before' : 'none');
    let failed = 0;
    await stage.play([async () => { ({ failed } = await stage.world.call(stage.pool[0]!, () => runSweep(now))); }]);
    const left = Object.keys(stage.world.node('meters') as object);
    assert.deepEqual([failed, ids.filter((id) => left.includes(id))], [120, ids.slice(0, 120)]);
  });

  it('leaves one open that was used in the moment between finding and ending it', async () => {
    const told = new Set<boolean>();
    for (let seed = 0; seed < 60 && told.size < 2; seed++) {
      await open({ seed });
      await stage.play([() => stage.pass(10)]);
      await stage.play([() => stage.clients.sweep(), () => stage.turn('last')], 2);
      const answered = stage.clients.told.turns.size === 2;
      assert.equal(session().status === 'active', answered, `seed ${seed}`);
      told.add(answered);
      await stage.world.close();
    }
    assert.equal(told.size, 2, 'now the turn was faster, now the sweep');
  });

  it('settles one whose end died before it did, when no trigger does', async () => {
    await open({ copies: ({ name }) => (name === 'mirrorSession' ? 1 : 0) });
    const { sessionId } = session();
    const dying = stage.world.boot();
    stage.world.faultOf = (process, { kind }) => (process === dying && kind === 'commit' ? 'crash after' : 'none');
    await stage.play([() => stage.world.call(dying, () => endSession(sessionId, 'user', now)).catch(() => undefined)]);
    assert.deepEqual([session().status, session().settlement, stage.agent().heldDOFs], ['ended', 'pending', 60]);
    await sweepAfter(2);
    assert.deepEqual([session().settlement, stage.agent().heldDOFs], ['done', 0]);
  });

  it('is done with one after that', async () => {
    await open();
    await sweepAfter(10);
    const before = session();
    await stage.play([async () => assert.equal((await stage.world.call(stage.world.boot(), () => runSweep(now))).ended, 0)]);
    assert.deepEqual(session(), before);
  });
});
