import { Timestamp, type CollectionReference, type DocumentSnapshot, type WriteBatch } from 'firebase-admin/firestore';
import type { EventType } from '../events/events.ts';
import type { Caller } from '../runtime/caller.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { newSecret, now } from '../runtime/system.ts';
import { requireMember, requireOpen, requireOwner, roleOf } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef, writeEvent } from '../sessions/store.ts';
import type { InviteDoc, ShareSessionInput } from './schema.ts';
import { inviteIdOf, inviteInvalid, judgeInvite, maxOpenInvites, newInvite, parseInvite, withMember, withoutMember, type Membership } from './sharing.ts';

type Snapshots = [session: DocumentSnapshot<SessionDoc>, invite: DocumentSnapshot<InviteDoc>];

/** sessions/{sessionId}/invites */
const invitesRef = (sessionId: string) => sessionRef(sessionId).collection('invites') as CollectionReference<InviteDoc>;

/** A session and one of its invites, read at one moment. */
async function read(sessionId: string, inviteId: string): Promise<Snapshots> {
  return await db().getAll(sessionRef(sessionId), invitesRef(sessionId).doc(inviteId)) as Snapshots;
}

/** An invite with its id. */
export type NamedInvite = InviteDoc & { inviteId: string };

/** An invite that was just made; `secret` is shown this once. */
export interface CreatedInvite {
  session: SessionDoc;
  invite: NamedInvite;
  secret: string;
}

/**
 * Makes an invite in one atomic commit with its event. The session's precondition keeps others from making one at the
 * same time, so that the open ones are counted right.
 * @throws AppError as requireOwner does, `failed-precondition` (session_closed, too_many_invites), `aborted` (contention).
 */
export async function createInvite(uid: string, { sessionId, ttlMinutes, ...input }: ShareSessionInput): Promise<CreatedInvite> {
  const terms = { role: input.role, email: input.email ?? null, capDOFs: input.capDOFs ?? null };
  const secret = newSecret();
  const inviteId = inviteIdOf(secret);
  return commitIfUnchanged(async (): Promise<Plan<CreatedInvite>> => {
    const [snapshot, known] = await read(sessionId, inviteId);
    const session = requireOwner(snapshot.data(), uid);
    // The SDK sends a commit again whose answer was lost.
    if (known.exists) return { result: { session, invite: { inviteId, ...known.data()! }, secret } };
    const at = now();
    requireOpen(session, at);
    if ((await openInvites(sessionId, at)).length >= maxOpenInvites) {
      throw new AppError('failed-precondition', `This session has ${maxOpenInvites} open invites. Revoke some first.`, { reason: 'too_many_invites' });
    }
    const invite = newInvite({ ...terms, createdBy: uid, createdAt: Timestamp.fromMillis(at), expiresAt: Timestamp.fromMillis(at + ttlMinutes * 60_000) });
    return { result: { session, invite: { inviteId, ...invite }, secret }, write: (batch) => {
      batch.create(known.ref, invite);
      writeSession(batch, snapshot, {}, 'session.invite_created', { inviteId, role: terms.role, capDOFs: terms.capDOFs, expiresAt: invite.expiresAt.toDate().toISOString() });
    } };
  });
}

/**
 * Makes an invite void in one atomic commit with its event. Doing so again changes nothing.
 * @throws AppError as requireOwner does, `not-found` for an unknown invite, `failed-precondition` (invite_used) when
 *   somebody has joined with it, `aborted` (contention).
 */
export async function revokeInvite(uid: string, sessionId: string, inviteId: string): Promise<void> {
  await commitIfUnchanged(async (): Promise<Plan<void>> => {
    const [snapshot, known] = await read(sessionId, inviteId);
    requireOwner(snapshot.data(), uid);
    const invite = known.data();
    if (!invite) throw new AppError('not-found', 'This session has no invite with this id.', { reason: 'not_found' });
    if (invite.usedBy !== null) throw new AppError('failed-precondition', 'Somebody has joined with this invite. Remove the member instead.', { reason: 'invite_used' });
    if (invite.revokedAt !== null) return { result: undefined };
    return { result: undefined, write: (batch) => {
      batch.update(known.ref, { revokedAt: Timestamp.fromMillis(now()) }, unchanged(known));
      writeSession(batch, snapshot, {}, 'session.invite_revoked', { inviteId });
    } };
  });
}

/**
 * Lets somebody join in one atomic commit: the invite is used up, the member added, the event written. For a member
 * nothing changes. Answers the session with the caller as a member.
 * @throws AppError as judgeInvite does, `aborted` (contention).
 */
export async function commitJoin(text: string, caller: Caller): Promise<SessionDoc> {
  const named = parseInvite(text);
  if (!named) throw inviteInvalid();
  const { sessionId, inviteId } = named;
  return commitIfUnchanged(async (): Promise<Plan<SessionDoc>> => {
    const [snapshot, known] = await read(sessionId, inviteId);
    const session = snapshot.data() ?? null;
    const at = now();
    const verdict = judgeInvite(known.data() ?? null, session, caller, at);
    if (verdict.kind === 'member') return { result: session! };
    const { role, capDOFs } = verdict;
    const membership = withMember(session!, caller.uid, role, capDOFs);
    return { result: next(session!, membership), write: (batch) => {
      batch.update(known.ref, { usedBy: caller.uid, usedAt: Timestamp.fromMillis(at) }, unchanged(known));
      writeSession(batch, snapshot, membership, 'session.member_joined', { memberId: caller.uid, role, capDOFs, inviteId });
    } };
  });
}

/**
 * Lets a member leave, in one atomic commit with its event. Answers the session without the member.
 * @throws AppError `not-found` as requireMember does, `failed-precondition` (owner_stays), `aborted` (contention).
 */
export async function commitLeave(sessionId: string, uid: string): Promise<SessionDoc> {
  return withdraw(sessionId, uid, 'member', (session) => requireMember(session, uid));
}

/**
 * Lets the owner remove a member, in one atomic commit with its event. Removing one who is no member changes nothing.
 * Answers the session without the member.
 * @throws AppError as requireOwner does, `failed-precondition` (owner_stays), `aborted` (contention).
 */
export async function commitRemoval(sessionId: string, uid: string, memberId: string): Promise<SessionDoc> {
  return withdraw(sessionId, memberId, 'owner', (session) => requireOwner(session, uid));
}

async function withdraw(sessionId: string, memberId: string, by: 'member' | 'owner', allowed: (session: SessionDoc | undefined) => SessionDoc): Promise<SessionDoc> {
  let sent = false;
  return commitIfUnchanged(async (): Promise<Plan<SessionDoc>> => {
    const snapshot = await sessionRef(sessionId).get();
    const found = snapshot.data();
    // The SDK sends a commit again whose answer was lost: then the member is gone because of it.
    const session = sent && found ? found : allowed(found);
    const role = roleOf(session, memberId);
    if (role === null) return { result: session };
    const membership = withoutMember(session, memberId, by === 'owner' ? Timestamp.fromMillis(now()) : null);
    sent = true;
    return { result: next(session, membership), write: (batch) => {
      writeSession(batch, snapshot, membership, 'session.member_left', { memberId, role, by });
    } };
  });
}

/** Invites that can still be used at this moment (ms), the first to expire first. No more than there may be. */
export async function openInvites(sessionId: string, at: number): Promise<NamedInvite[]> {
  const open = invitesRef(sessionId).where('usedAt', '==', null).where('revokedAt', '==', null).where('expiresAt', '>', Timestamp.fromMillis(at)).orderBy('expiresAt').limit(maxOpenInvites);
  return (await open.get()).docs.map((doc) => ({ inviteId: doc.id, ...doc.data() }));
}

function next(session: SessionDoc, changes: Partial<Membership>): SessionDoc {
  return { ...session, ...changes, version: session.version + 1 };
}

/** Changes the session, if it is as it was read, with the event of the change. */
function writeSession(batch: WriteBatch, snapshot: DocumentSnapshot<SessionDoc>, changes: Partial<Membership>, type: EventType, data: Record<string, unknown>): void {
  const changed = next(snapshot.data()!, changes);
  batch.update(snapshot.ref, { ...changes, version: changed.version }, unchanged(snapshot));
  writeEvent(batch, changed, type, data);
}
