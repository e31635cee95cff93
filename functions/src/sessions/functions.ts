import { AppError } from '../runtime/errors.ts';
import { liveDatabaseUrl } from '../runtime/firebase.ts';
import { operation } from '../runtime/operation.ts';
import { newId, now } from '../runtime/system.ts';
import { endSession as end, startSession as start } from './lifecycle.ts';
import { listMySessionsInput, listMySessionsOutput, sessionIdInput, sessionView, startSessionInput, startSessionOutput, type SessionDoc } from './schema.ts';
import { getOwnSession, listSessions } from './store.ts';
import { parseCursor, toCursor, toSessionView, toStarted } from './views.ts';

export const startSession = operation({
  name: 'startSession',
  summary: 'Starts a session with an owned agent, or resumes the one that is open with it.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions' },
  input: startSessionInput,
  output: startSessionOutput,
  async handle({ agentInstanceId, gameContext, takeOver }, { caller }) {
    const open = await start({ uid: caller.uid, agentInstanceId, takeOver, gameContext: gameContext ?? null }, { now, newId });
    return toStarted(open, liveDatabaseUrl(open.session.sessionId));
  },
});

export const getSession = operation({
  name: 'getSession',
  summary: 'One session of the signed-in user.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}' },
  input: sessionIdInput,
  output: sessionView,
  async handle({ sessionId }, { caller }) {
    return toSessionView(await requireOwn(caller.uid, sessionId));
  },
});

export const listMySessions = operation({
  name: 'listMySessions',
  summary: 'The sessions of the signed-in user, newest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions' },
  input: listMySessionsInput,
  output: listMySessionsOutput,
  async handle({ limit, cursor }, { caller }) {
    const found = await listSessions(caller.uid, limit + 1, cursor === undefined ? null : parseCursor(cursor));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return { sessions: page.map(toSessionView), nextCursor: found.length > limit && last ? toCursor(last) : null };
  },
});

export const endSession = operation({
  name: 'endSession',
  summary: 'Ends a session. Ending one that has ended changes nothing and answers it as it is.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/end' },
  input: sessionIdInput,
  output: sessionView,
  async handle({ sessionId }, { caller }) {
    const session = await requireOwn(caller.uid, sessionId);
    return toSessionView(session.status === 'ended' ? session : (await end(sessionId, 'user', now)) ?? session);
  },
});

async function requireOwn(uid: string, sessionId: string): Promise<SessionDoc> {
  const session = await getOwnSession(uid, sessionId);
  if (!session) throw new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
  return session;
}
