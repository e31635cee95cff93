import type { Mutation } from './mutation.ts';
import { crash, unit } from './tests.ts';

/** Mutants of the life of a session. */
export const sessionMutations: Mutation[] = [
  {
    guard: 'session limit', what: 'A user opens more sessions than allowed.', file: 'sessions/start.ts',
    find: 'if (!other || facts.open.length < server', replace: 'if (!other || 0 < server', tests: [unit('sessions/start')],
  },
  {
    guard: 'precondition', what: 'A session starts although another start of the user was faster.', file: 'sessions/store-lifecycle.ts',
    find: 'session.agentInstanceId }, unchanged(user));', replace: 'session.agentInstanceId });', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'precondition', what: 'A session is taken over although it has changed since it was read.', file: 'sessions/store-lifecycle.ts',
    find: '{ generation: next.generation, version: next.version }, unchanged(snapshot));', replace: '{ generation: next.generation, version: next.version });', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'precondition', what: 'A hold is extended although the session has changed since it was read.', file: 'sessions/store-lifecycle.ts',
    find: '{ heldDOFs: next.heldDOFs, version: next.version }, unchanged(snapshot));', replace: '{ heldDOFs: next.heldDOFs, version: next.version });', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'precondition', what: 'A session ends although it has changed since it was read.', file: 'sessions/store-lifecycle.ts',
    find: 'version, cleanupAt }, unchanged(snapshot));', replace: 'version, cleanupAt });', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'created once', what: 'A session is written over the one with the same id.', file: 'sessions/store-lifecycle.ts',
    find: 'batch.create(sessionRef(sessionId), session);', replace: 'batch.set(sessionRef(sessionId), session);', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'close once', what: 'A session that has ended ends again.', file: 'sessions/store-lifecycle.ts',
    find: "!session || session.status === 'ended'", replace: '!session', tests: [unit('sessions/store-lifecycle')],
  },
  {
    guard: 'event', what: 'A session starts and ends without an event in the same commit.', file: 'sessions/store.ts',
    find: 'batch.create(outboxRef(event.eventId), toOutbox(event));', replace: '', tests: [crash('startSession')],
  },
  {
    guard: 'hold limit', what: 'A hold is extended beyond the limit per session.', file: 'sessions/start.ts',
    find: 'available, missing), allowed, ', replace: 'available, missing), ', tests: [unit('sessions/start')],
  },
  {
    guard: 'release', what: 'The sweep does not settle what a lost trigger left.', file: 'ops/sweep.ts',
    find: 'unsettledSessions(now(), overdueMs, limit)', replace: 'unsettledSessions(0, overdueMs, limit)', tests: [unit('ops/sweep')],
  },
  {
    guard: 'member', what: 'Who was removed comes back with another invite from before.', file: 'sharing/sharing.ts',
    find: 'if (Object.hasOwn(removedAt, caller.uid) && ', replace: 'if (now < 0 && ', tests: [unit('sharing/sharing')],
  },
  {
    guard: 'member', what: 'Who leaves while a session ends is shown as a member again.', file: 'sessions/lifecycle.ts',
    find: 'settled.version > session.version + 1 ? session : settled', replace: 'settled', tests: [unit('sharing/functions')],
  },
  {
    guard: 'member', what: 'Who was removed is let in by a start that is completed late.', file: 'sharing/functions.ts',
    find: "if (session.status === 'active') await openLive(session);", replace: '', tests: [unit('sharing/functions')],
  },
];
