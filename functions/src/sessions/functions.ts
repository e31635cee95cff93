import { missedTurns } from '../history/turns.ts';
import { liveDatabaseUrl } from '../runtime/firebase.ts';
import { operation } from '../runtime/operation.ts';
import { newId, now } from '../runtime/system.ts';
import { endSession as end, startSession as start } from './lifecycle.ts';
import { requireMember, requireOwner } from './members.ts';
import { listMySessionsInput, listMySessionsOutput, ownSessionView, renameSessionInput, sessionIdInput, sessionView, startSessionInput, startSessionOutput } from './schema.ts';
import { commitRename, getSessionOf, listSessions } from './store.ts';
import { parseCursor, toCursor, toOwnSessionView, toSessionView, toStarted } from './views.ts';

export const startSession = operation({
  name: 'startSession',
  summary: 'Starts a session with an owned agent, or resumes the one that is open with it.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions' },
  replayProtected: true,
  input: startSessionInput,
  output: startSessionOutput,
  async handle({ agentInstanceId, gameContext, takeOver, seenTurnId }, { caller }) {
    const open = await start({ uid: caller.uid, agentInstanceId, takeOver, gameContext: gameContext ?? null }, { now, newId });
    const missed = open.resumed ? await missedTurns(open.session, seenTurnId) : [];
    return toStarted(open, missed, liveDatabaseUrl(open.session.sessionId));
  },
});

export const getSession = operation({
  name: 'getSession',
  summary: 'One session that the signed-in user owns or has joined.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}' },
  input: sessionIdInput,
  output: sessionView,
  async handle({ sessionId }, { caller }) {
    return toSessionView(requireMember(await getSessionOf(caller.uid, sessionId), caller.uid), caller.uid);
  },
});

export const listMySessions = operation({
  name: 'listMySessions',
  summary: 'The sessions that the signed-in user owns or has joined: open ones first, newest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions' },
  input: listMySessionsInput,
  output: listMySessionsOutput,
  async handle({ limit, cursor }, { caller }) {
    const found = await listSessions(caller.uid, limit + 1, cursor === undefined ? null : parseCursor(cursor));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return { sessions: page.map((session) => toSessionView(session, caller.uid)), nextCursor: found.length > limit && last ? toCursor(last) : null };
  },
});

export const endSession = operation({
  name: 'endSession',
  summary: 'Ends an owned session. Ending one that has ended changes nothing and answers it as it is.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/end' },
  input: sessionIdInput,
  output: ownSessionView,
  async handle({ sessionId }, { caller }) {
    const session = requireOwner(await getSessionOf(caller.uid, sessionId), caller.uid);
    return toOwnSessionView(session.status === 'ended' ? session : (await end(sessionId, 'user', now)) ?? session);
  },
});

export const renameSession = operation({
  name: 'renameSession',
  summary: 'Gives an owned session a name, or takes it back.',
  access: 'signed-in',
  route: { method: 'patch', path: '/sessions/{sessionId}' },
  input: renameSessionInput,
  output: ownSessionView,
  async handle({ sessionId, name }, { caller }) {
    return toOwnSessionView(await commitRename(caller.uid, sessionId, name));
  },
});
