import { mirrorLive, openLive } from '../live/store.ts';
import { liveDatabaseUrl } from '../runtime/firebase.ts';
import { onlineMembers } from '../presence/store.ts';
import { operation } from '../runtime/operation.ts';
import { now } from '../runtime/system.ts';
import { requireMember } from '../sessions/members.ts';
import { sessionIdInput, type SessionDoc } from '../sessions/schema.ts';
import { getSessionOf } from '../sessions/store.ts';
import { joinSessionInput, joinSessionOutput, leaveSessionOutput, listMembersOutput, removeMemberInput, removeMemberOutput, revokeInviteInput, revokeInviteOutput, shareSessionInput, shareSessionOutput } from './schema.ts';
import { commitJoin, commitLeave, commitRemoval, createInvite, openInvites, revokeInvite as revoke } from './store.ts';
import { toCreated, toJoined, toMembers } from './views.ts';

/** Lets the live state know who the members are, also where the start of the session died before it opened one: who completes it may have read others. */
async function showMembers(session: SessionDoc): Promise<void> {
  if (session.status === 'active') await openLive(session);
  await mirrorLive(session);
}

export const shareSession = operation({
  name: 'shareSession',
  summary: 'Makes an invite with which one person joins an owned session.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/invites' },
  replayProtected: true,
  input: shareSessionInput,
  output: shareSessionOutput,
  async handle(input, { caller }) {
    return toCreated(await createInvite(caller.uid, input));
  },
});

export const revokeInvite = operation({
  name: 'revokeInvite',
  summary: 'Makes an invite void that nobody has used. Repeating it changes nothing.',
  access: 'signed-in',
  route: { method: 'delete', path: '/sessions/{sessionId}/invites/{inviteId}' },
  input: revokeInviteInput,
  output: revokeInviteOutput,
  async handle({ sessionId, inviteId }, { caller }) {
    await revoke(caller.uid, sessionId, inviteId);
    return { sessionId, inviteId };
  },
});

export const joinSession = operation({
  name: 'joinSession',
  summary: 'Joins a session by an invite, which is used up. For a member it changes nothing.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/join' },
  replayProtected: true,
  input: joinSessionInput,
  output: joinSessionOutput,
  async handle({ invite }, { caller }) {
    const session = await commitJoin(invite, caller);
    // Also for a member: the call that made it one may have died before this.
    await showMembers(session);
    return toJoined(session, caller.uid, liveDatabaseUrl(session.sessionId));
  },
});

export const leaveSession = operation({
  name: 'leaveSession',
  summary: 'Leaves a session that the signed-in user has joined.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/leave' },
  input: sessionIdInput,
  output: leaveSessionOutput,
  async handle({ sessionId }, { caller }) {
    await showMembers(await commitLeave(sessionId, caller.uid));
    return { sessionId };
  },
});

export const removeMember = operation({
  name: 'removeMember',
  summary: 'Removes a member from an owned session. Repeating it changes nothing.',
  access: 'signed-in',
  route: { method: 'delete', path: '/sessions/{sessionId}/members/{userId}' },
  input: removeMemberInput,
  output: removeMemberOutput,
  async handle({ sessionId, userId }, { caller }) {
    await showMembers(await commitRemoval(sessionId, caller.uid, userId));
    return { sessionId, userId };
  },
});

export const listMembers = operation({
  name: 'listMembers',
  summary: 'The members of a session that the signed-in user is one of; for its owner also the invites that can still be used.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}/members' },
  input: sessionIdInput,
  output: listMembersOutput,
  async handle({ sessionId }, { caller }) {
    const session = requireMember(await getSessionOf(caller.uid, sessionId), caller.uid);
    const [online, invites] = await Promise.all([onlineMembers(session, now()), session.ownerId === caller.uid ? openInvites(sessionId, now()) : null]);
    return toMembers(session, caller.uid, { online, invites });
  },
});
