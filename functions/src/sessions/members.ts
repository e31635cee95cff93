import { AppError } from '../runtime/errors.ts';
import type { Role, SessionDoc } from './schema.ts';

/** Whether its owner has deleted the session: what it cost is all that is left of it. */
export function isDeleted({ deletedAt }: Pick<SessionDoc, 'deletedAt'>): boolean {
  // Sessions from before there was this field do not have it.
  return Boolean(deletedAt);
}

/** What a user is in a session; null for one who is no member. */
export function roleOf({ members }: Pick<SessionDoc, 'members'>, uid: string): Role | null {
  return Object.hasOwn(members, uid) ? members[uid]! : null;
}

/** A session that the user is a member of. @throws AppError `not-found` for a missing and a foreign one alike. */
export function requireMember(session: SessionDoc | null | undefined, uid: string): SessionDoc {
  if (session && roleOf(session, uid) !== null) return session;
  throw notMember();
}

/** A session that the user owns. @throws AppError as requireMember does, `permission-denied` (not_owner) for its other members. */
export function requireOwner(session: SessionDoc | null | undefined, uid: string): SessionDoc {
  const shared = requireMember(session, uid);
  if (shared.ownerId === uid) return shared;
  throw new AppError('permission-denied', 'Only the owner of the session may do this.', { reason: 'not_owner' });
}

/** The same answer for a session that does not exist and one that the caller is no member of. */
export function notMember(): AppError {
  return new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
}

/** The answer for a session that is over. */
export function sessionClosed(closeReason: string): AppError {
  return new AppError('failed-precondition', 'This session has ended. Start a new one.', { reason: 'session_closed', closeReason });
}

/** @throws AppError `failed-precondition` (session_closed) for a session that has ended or whose time is over; `now` in ms. */
export function requireOpen({ status, closeReason, expiresAt }: Pick<SessionDoc, 'status' | 'closeReason' | 'expiresAt'>, now: number): void {
  if (status !== 'active') throw sessionClosed(closeReason ?? 'unknown');
  if (expiresAt.toMillis() <= now) throw sessionClosed('expired');
}
