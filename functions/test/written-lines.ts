import { createUserDocument } from '../src/agents/triggers.ts';
import { settleCheckpoint } from '../src/credits/triggers.ts';
import { operations } from '../src/operations.ts';
import { sweep } from '../src/ops/triggers.ts';
import { runOperation } from '../src/runtime/operation.ts';
import { keepEntries, type Written } from './printed.ts';
import { Stage } from './simulator/stage.ts';

/** Plays what a day brings, in memory: sessions, grants, holds, sweeps, and whatever of it goes wrong. Answers every entry that was written. */
export async function playADay(): Promise<Written[]> {
  const stage = new Stage({ dofs: 2_000_000, rates: { instruction: 30 } });
  const written = keepEntries();
  const { world, clients } = stage;
  const inProcess = (act: () => Promise<unknown>) => () => world.call(stage.pool[0]!, act).catch(() => undefined);
  const ask = (name: keyof typeof operations, input: object, uid = 'ann') => inProcess(() => runOperation(operations[name], input, { uid, email: `${uid}@players.example`, emailVerified: true, admin: uid === 'root' }, { emit: () => undefined, signal: new AbortController().signal }));
  const failing = (path: RegExp, act: () => Promise<unknown>) => async (): Promise<void> => {
    world.faultOf = (_process, { paths }) => (paths.some((each) => path.test(each)) ? 'fail before' : 'none');
    await act();
    world.faultOf = () => 'none';
  };
  const set = (path: string, fields: object) => inProcess(() => world.firestore.doc(path).update({ ...fields }));
  const target = { userId: 'ann', agentInstanceId: 'ann-0' };
  const swept = inProcess(async () => sweep.run({ scheduleTime: '', jobName: '' }));
  const session = () => clients.sessions.get('ann')!;
  try {
    await stage.play([
      ask('startSession', { agentInstanceId: 'ann-0' }), () => clients.start('ann', 0, false), () => stage.turn('first'), () => stage.turn('second'),
      () => ask('getSession', { sessionId: session() })(), ask('getSession', { sessionId: 'missing' }),
      () => failing(/^sessions\//, ask('getSession', { sessionId: session() }))(),
      () => clients.end('ann'),
      ask('grantDofs', { ...target, idempotencyKey: 'g', amount: 50, source: 'purchase', reason: 'bought' }, 'root'), ask('voidGrant', { ...target, idempotencyKey: 'v', grantId: 'grant-g', reason: 'returned' }, 'root'),
      ask('adjustBalance', { ...target, idempotencyKey: 'a', amount: -7, reason: 'corrected' }, 'root'),
      ask('placeHold', { ...target, idempotencyKey: 'h', amount: 9 }, 'root'), ask('postHold', { ...target, holdId: 'hold-h', amount: 4, reason: 'done' }, 'root'),
      set('config/server', { maintenance: true }), ask('startSession', { agentInstanceId: 'ann-0' }), set('config/server', { maintenance: 'broken' }), ask('startSession', { agentInstanceId: 'ann-0' }), set('config/server', { maintenance: false }),
      swept,
      // An event that nobody has published, a session that cannot be ended, a trigger that fails, and books that do not agree.
      () => clients.start('ann', 0, false), () => stage.pass(20),
      set(`outbox/${Object.keys(world.firestore.dump('outbox'))[0]?.split('/')[1] ?? 'ann:ann-0-000002-agent.dofs_granted'}`, { published: false }),
      () => failing(/^sessions\//, swept)(),
      () => failing(/^sessions\//, inProcess(() => settleCheckpoint.run({ params: { sessionId: session() }, data: { data: () => ({ sessionId: session(), ownerId: 'ann', agentInstanceId: 'ann-0', total: 1, final: false }) } } as unknown as Parameters<typeof settleCheckpoint.run>[0]) as Promise<unknown>))(),
      () => failing(/^users\/new/, inProcess(() => createUserDocument.run({ uid: 'new' } as Parameters<typeof createUserDocument.run>[0], {} as Parameters<typeof createUserDocument.run>[1]) as Promise<unknown>))(),
      set('users/ann', { activeSessions: { gone: 'ann-0' } }), inProcess(() => world.firestore.doc('ops/audit').delete()), () => stage.pass(20), swept,
    ]);
  } finally {
    await world.close();
  }
  return written;
}
