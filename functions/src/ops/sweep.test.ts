import assert from 'node:assert/strict';
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
