import type { z } from 'zod';
import { roleOf } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { toLiveAddress } from '../sessions/views.ts';
import type { joinSessionOutput, listMembersOutput, shareSessionOutput } from './schema.ts';
import { toInvite, toLink } from './sharing.ts';
import type { CreatedInvite, NamedInvite } from './store.ts';

/** The answer to shareSession: the only place where the secret of an invite shows. */
export function toCreated({ session, invite: { inviteId, role, expiresAt }, secret }: CreatedInvite): z.input<typeof shareSessionOutput> {
  const invite = toInvite(session.sessionId, secret);
  return { inviteId, invite, link: toLink(session.config.endpoints.joinUrl, invite), role, expiresAt: expiresAt.toDate().toISOString() };
}

/** The answer to joinSession for a member; `shardUrl` as for toLiveAddress. */
export function toJoined(session: SessionDoc, uid: string, shardUrl: string | null): z.input<typeof joinSessionOutput> {
  const { sessionId, name, config, expiresAt } = session;
  return { sessionId, role: roleOf(session, uid)!, name, config, live: toLiveAddress(session, shardUrl), expiresAt: expiresAt.toDate().toISOString() };
}

/** The answer to listMembers; `online` are those who are connected, `invites` are for the owner only, null for everybody else. */
export function toMembers(session: SessionDoc, uid: string, { online, invites }: { online: string[]; invites: NamedInvite[] | null }): z.input<typeof listMembersOutput> {
  const shows = (userId: string): boolean => (uid === session.ownerId || uid === userId) && Object.hasOwn(session.memberCaps, userId);
  return {
    members: session.memberIds.map((userId) => ({ userId, role: roleOf(session, userId)!, capDOFs: shows(userId) ? session.memberCaps[userId]! : null, online: online.includes(userId) })),
    invites: invites && invites.map((invite) => ({ ...invite, createdAt: invite.createdAt.toDate().toISOString(), expiresAt: invite.expiresAt.toDate().toISOString() })),
  };
}
