import { createHash } from 'node:crypto';
import type { Timestamp } from 'firebase-admin/firestore';
import type { Caller } from '../runtime/caller.ts';
import { AppError } from '../runtime/errors.ts';
import { accountIdSchema, idSchema } from '../runtime/schema.ts';
import { isDeleted, requireOpen, roleOf } from '../sessions/members.ts';
import type { Role, SessionDoc } from '../sessions/schema.ts';
import type { InviteDoc } from './schema.ts';

/** Most invites of a session that can be used at the same time. */
export const maxOpenInvites = 20;

/** The id of the invite with this secret: its SHA-256, from which nobody gets back to the secret. */
export function inviteIdOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** What an invited person is given. */
export function toInvite(sessionId: string, secret: string): string {
  return `${sessionId}.${secret}`;
}

/** The invite behind the address of the page that takes it. Browsers send nothing behind `#` to a server, so no log of one has it. */
export function toLink(joinUrl: string | null | undefined, invite: string): string | null {
  return joinUrl ? `${joinUrl}#${invite}` : null;
}

/** Which invite of which session a text names; null for a text that is none. */
export function parseInvite(text: string): { sessionId: string; inviteId: string } | null {
  const [, sessionId, secret] = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{32})$/.exec(text) ?? [];
  if (sessionId === undefined || secret === undefined) return null;
  const inviteId = inviteIdOf(secret);
  return [sessionId, inviteId].every((id) => idSchema.safeParse(id).success) ? { sessionId, inviteId } : null;
}

/** An invite that nobody has used yet. */
export function newInvite(terms: Pick<InviteDoc, 'role' | 'email' | 'capDOFs' | 'createdBy' | 'createdAt' | 'expiresAt'>): InviteDoc {
  return { ...terms, usedBy: null, usedAt: null, revokedAt: null };
}

/** What a person with an invite is to be: a member already, who uses no invite up, or a new one. */
export type Verdict = { kind: 'member'; role: Role } | { kind: 'join'; role: Role; capDOFs: number | null };

/**
 * Decides whether somebody joins; null stands for an invite or a session that does not exist. `now` in ms.
 * @throws AppError `not-found` (invite_invalid) for every bad invite alike, `failed-precondition` (session_closed,
 *   session_full) for a good one.
 */
export function judgeInvite(invite: InviteDoc | null, session: SessionDoc | null, caller: Caller, now: number): Verdict {
  const role = session && roleOf(session, caller.uid);
  if (!session || isDeleted(session) || (role === null && !(invite && isGood(invite, session, caller, now)))) throw inviteInvalid();
  requireOpen(session, now);
  if (role !== null) return { kind: 'member', role };
  if (session.memberIds.length < session.config.limits.maxMembers) return { kind: 'join', role: invite!.role, capDOFs: invite!.capDOFs };
  throw new AppError('failed-precondition', 'This session has as many members as it can have. Ask its owner to make room.', { reason: 'session_full' });
}

function isGood({ usedBy, revokedAt, createdAt, expiresAt, email }: InviteDoc, { removedAt }: SessionDoc, caller: Caller, now: number): boolean {
  if (usedBy !== null || revokedAt !== null || expiresAt.toMillis() <= now) return false;
  if (Object.hasOwn(removedAt, caller.uid) && createdAt.toMillis() <= removedAt[caller.uid]!.toMillis()) return false;
  // A uid with a character that no key of the Realtime Database has would keep the whole session from being mirrored.
  if (!accountIdSchema.safeParse(caller.uid).success) return false;
  return email === null || (caller.emailVerified && caller.email?.toLowerCase() === email);
}

/** The answer for every bad invite: it does not tell what is wrong with it. */
export function inviteInvalid(): AppError {
  return new AppError('not-found', 'This invite is not valid, or not for this account. Ask for a new one.', { reason: 'invite_invalid' });
}

/** Who the members of a session are. */
export type Membership = Pick<SessionDoc, 'members' | 'memberIds' | 'memberCaps' | 'removedAt'>;

/** The members with one more, who is none of them yet. */
export function withMember({ members, memberIds, memberCaps, removedAt }: Membership, uid: string, role: Role, capDOFs: number | null): Membership {
  const { [uid]: _removed, ...stillRemoved } = removedAt;
  return {
    members: { ...members, [uid]: role },
    memberIds: [...memberIds, uid],
    memberCaps: capDOFs === null ? memberCaps : { ...memberCaps, [uid]: capDOFs },
    removedAt: stillRemoved,
  };
}

/** The members without one, who left by itself or was removed by the owner at `removed`. @throws AppError `failed-precondition` (owner_stays) for the owner. */
export function withoutMember({ members, memberIds, memberCaps, removedAt }: Membership, uid: string, removed: Timestamp | null): Membership {
  if (members[uid] === 'owner') throw new AppError('failed-precondition', 'The owner cannot leave the session. End it instead.', { reason: 'owner_stays' });
  const { [uid]: _role, ...others } = members;
  const { [uid]: _cap, ...caps } = memberCaps;
  return { members: others, memberIds: memberIds.filter((id) => id !== uid), memberCaps: caps, removedAt: removed === null ? removedAt : { ...removedAt, [uid]: removed } };
}
