import assert from 'node:assert/strict';
import { followPresence } from '../../src/presence/store.ts';
import { liveDatabase } from '../../src/runtime/firebase.ts';
import { now } from '../../src/runtime/system.ts';
import { Stage, type StageOptions } from './stage.ts';
import type { Io } from '../memory/io.ts';
import { faultsOf, type Fault } from './faults.ts';

/** A scene in which one operation is struck at each of its requests in turn. */
interface Scene {
  options?: StageOptions;
  /** What comes before, undisturbed. */
  before?: (stage: Stage) => (() => Promise<unknown>)[];
  /** The operation that is struck; the client repeats it until it has an answer. */
  act: (stage: Stage) => Promise<unknown>;
}

const starts = (stage: Stage) => () => stage.clients.start('ann', 0, false);
const turns = (count: number) => (stage: Stage) => Array.from({ length: count }, (_, index) => () => stage.turn(`t${index}`));
/** A turn whose process dies while the model is asked. */
const dies = (stage: Stage) => async () => {
  stage.world.scheduler.after(100, () => stage.world.crash(stage.pool[0]!), null);
  await stage.turn('dead', { behaviour: 'hangs' }).catch(() => undefined);
};
/** The only connection of the owner comes, or goes when `at` is null. */
const connection = (stage: Stage, at: number | null) => stage.world.call(stage.world.boot(), async () => {
  const { sessionId } = stage.sessions()[0]!;
  await liveDatabase(sessionId).ref(`presence/${sessionId}/ann/laptop/at`).set(at);
  await followPresence(sessionId, 'ann', now);
});
/** Triggers that are not delivered: the operation, or the sweep, has to do their work. */
const undelivered: StageOptions = { copies: ({ name }) => (name === 'mirrorSession' ? 1 : 0) };

const scenes: Record<string, Scene> = {
  startSession: { act: (stage) => starts(stage)() },
  'startSession that takes over': { options: { agents: 2 }, before: (stage) => [starts(stage)], act: (stage) => stage.clients.start('ann', 1, true) },
  processFrame: { before: (stage) => [starts(stage)], act: (stage) => stage.turn('struck', { frame: true }) },
  'processFrame that settles a checkpoint': { before: (stage) => [starts(stage), ...turns(3)(stage)], act: (stage) => stage.turn('struck') },
  'processFrame that extends the hold': { before: (stage) => [starts(stage), ...turns(2)(stage)], act: (stage) => stage.turn('struck', { frame: true }) },
  'processFrame that ends the session': { options: { dofs: 30 }, before: (stage) => [starts(stage), ...turns(4)(stage)], act: async (stage) => { for (const each of ['x', 'y', 'z']) await stage.turn(each); } },
  'processFrame after one that died': { before: (stage) => [starts(stage), dies(stage)], act: (stage) => stage.turn('struck') },
  'processFrame that waits for one that died': { before: (stage) => [starts(stage), dies(stage)], act: (stage) => stage.turn('struck', { queue: true }) },
  'settle, by the trigger of a checkpoint': {
    options: undelivered,
    before: (stage) => [starts(stage), ...turns(5)(stage)],
    act: (stage) => stage.deliver((event) => event.name === 'settleCheckpoint'),
  },
  'settle, by the trigger of the last checkpoint': {
    options: undelivered,
    before: (stage) => [starts(stage), ...turns(5)(stage), () => stage.dieAfterEnding('ann')],
    act: (stage) => stage.deliver((event) => event.path.endsWith('/checkpoints/final')),
  },
  'processFrame of a member': { before: (stage) => [starts(stage), () => stage.admit('cat', { capDOFs: 40 })], act: (stage) => stage.guestTurn('cat', 'struck', { frame: true }) },
  'processFrame of a member after one that died': {
    before: (stage) => [starts(stage), () => stage.admit('cat', { capDOFs: 40 }), () => stage.admit('dan'), async () => {
      stage.world.scheduler.after(100, () => stage.world.crash(stage.pool[0]!), null);
      await stage.guestTurn('cat', 'dead', { behaviour: 'hangs' }).catch(() => undefined);
    }],
    act: (stage) => stage.guestTurn('dan', 'struck'),
  },
  shareSession: { before: (stage) => [starts(stage)], act: (stage) => stage.clients.share('ann', { capDOFs: 20 }) },
  joinSession: { before: (stage) => [starts(stage), () => stage.clients.share('ann', { capDOFs: 20 })], act: (stage) => stage.clients.join('cat', stage.clients.invites[0]!) },
  leaveSession: { before: (stage) => [starts(stage), () => stage.admit('cat', { role: 'spectator' })], act: (stage) => stage.clients.leave('cat', stage.clients.sessions.get('ann')!) },
  removeMember: { before: (stage) => [starts(stage), () => stage.admit('cat', { capDOFs: 20 }), () => stage.guestTurn('cat', 'before')], act: (stage) => stage.clients.remove('ann', stage.clients.sessions.get('ann')!, 'cat') },
  'endSession of a session with members': {
    before: (stage) => [starts(stage), () => stage.admit('cat', { capDOFs: 20 }), () => stage.guestTurn('cat', 't0'), () => stage.turn('t0')],
    act: (stage) => stage.clients.end('ann'),
  },
  endSession: { before: (stage) => [starts(stage), ...turns(4)(stage)], act: (stage) => stage.clients.end('ann') },
  'endSession, its triggers lost': { options: undelivered, before: (stage) => [starts(stage), ...turns(4)(stage)], act: (stage) => stage.clients.end('ann') },
  grant: { act: (stage) => stage.clients.money('grantDofs', 'ann', 0, { idempotencyKey: 'pay', amount: 40, source: 'purchase', reason: 'bought' }) },
  'void of a grant that a session holds': { before: (stage) => [starts(stage)], act: (stage) => stage.clients.money('voidGrant', 'ann', 0, { idempotencyKey: 'back', grantId: 'grant-first-ann-0', reason: 'charged back' }) },
  'a hold that is posted': {
    before: (stage) => [() => stage.clients.money('placeHold', 'ann', 0, { idempotencyKey: 'h', amount: 50, ttlSeconds: 3_600 })],
    act: (stage) => stage.clients.money('postHold', 'ann', 0, { holdId: 'hold-h', amount: 20, reason: 'delivered' }),
  },
  sweep: {
    options: undelivered,
    before: (stage) => [
      () => stage.clients.money('grantDofs', 'ann', 0, { idempotencyKey: 'short', amount: 40, source: 'trial', reason: 'trial', expiresAt: new Date(stage.world.scheduler.now + 60_000).toISOString(), rollover: { maxDOFs: 10, days: 1 } }),
      () => stage.clients.money('placeHold', 'ann', 0, { idempotencyKey: 'h', amount: 10, ttlSeconds: 60 }),
      starts(stage), ...turns(3)(stage), () => stage.pass(15),
    ],
    act: (stage) => stage.clients.sweep(),
  },
  'a sweep while the owner is away': {
    before: (stage) => [starts(stage), ...turns(2)(stage), () => connection(stage, stage.world.scheduler.now), () => connection(stage, null), () => stage.pass(3)],
    act: (stage) => stage.clients.sweep(),
  },
};

/** Plays a scene with a fault at the nth request of its operation; tells how many requests there were, and how it ended. */
async function play({ options = {}, before = () => [], act }: Scene, fault: Fault, nth: number): Promise<{ requests: Io[]; outcome: unknown }> {
  const stage = new Stage(options);
  try {
    await stage.play(before(stage));
    const struck = stage.world.boot();
    stage.pool.splice(0, stage.pool.length, struck);
    const requests: Io[] = [];
    stage.world.faultOf = (process, io) => (process === struck && requests.push(io) === nth + 1 ? fault : 'none');
    await stage.play([() => act(stage)]);
    stage.pool.splice(0, stage.pool.length, stage.world.boot());
    await stage.curtain();
    const { currentDOFs, debtDOFs, lots } = stage.agent();
    const sessions = stage.sessions().map(({ consumedDOFs, settledDOFs, closeReason, members, memberCaps }) => ({ consumedDOFs, settledDOFs, closeReason, members, memberCaps }));
    return { requests, outcome: { currentDOFs, debtDOFs, lots: Object.entries(lots).map(([grantId, { remaining }]) => [grantId, remaining]), sessions, told: [...stage.clients.told.turns], money: [...stage.clients.told.money], invites: stage.clients.invites.length } };
  } finally {
    await stage.world.close();
  }
}

describe('a crash before and after every request to a database', () => {
  for (const [name, scene] of Object.entries(scenes)) {
    it(`of ${name} loses nothing and does nothing twice`, async function () {
      this.timeout(600_000);
      const { requests, outcome } = await play(scene, 'none', -1);
      assert.ok(requests.length >= 2, 'there is something to strike');
      for (let nth = 0; nth < requests.length; nth++) {
        for (const fault of faultsOf(requests[nth]!)) {
          const struck = await play(scene, fault, nth).catch((error: unknown) => { throw new Error(`${fault} request ${nth}: ${(error as Error).stack}`); });
          assert.deepEqual(struck.outcome, outcome, `${fault} request ${nth}`);
        }
      }
    });
  }
});
