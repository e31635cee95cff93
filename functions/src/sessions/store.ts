import { Timestamp, type DocumentReference, type DocumentSnapshot } from 'firebase-admin/firestore';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { log } from '../runtime/log.ts';
import { isDeleted, requireOwner } from './members.ts';
import { serverConfigSchema, type Cursor, type ServerConfig, type SessionDoc } from './schema.ts';

/** sessions/{sessionId} */
export function sessionRef(sessionId: string): DocumentReference<SessionDoc> {
  return db().collection('sessions').doc(sessionId) as DocumentReference<SessionDoc>;
}

/** config/server */
export function serverConfigRef(): DocumentReference {
  return db().collection('config').doc('server');
}

/**
 * Reads a server config document.
 * @throws AppError `unavailable` (not_ready) when it is missing or malformed: nothing starts on guessed limits.
 */
export function parseServerConfig(snapshot: DocumentSnapshot): ServerConfig {
  const parsed = serverConfigSchema.safeParse(snapshot.data());
  if (parsed.success) return parsed.data;
  log.write({ severity: 'ERROR', message: 'config/server is missing or malformed', issues: parsed.error.issues.map((issue) => issue.path.join('.')) });
  throw new AppError('unavailable', 'The service is not configured yet. Operators: check the document config/server.', { reason: 'not_ready' });
}

/** Writes the event of a change into the commit of that change; `session` is as it is afterwards. */
export function writeEvent(batch: FirebaseFirestore.WriteBatch, session: SessionDoc, type: Parameters<typeof newEvent>[0]['type'], data: Record<string, unknown>): void {
  const { sessionId, ownerId, agentInstanceId, version } = session;
  const event = newEvent({ type, subject: sessionId, sequence: version, data: { sessionId, userId: ownerId, agentInstanceId, ...data } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}

/** A session, whoever asks; null for a missing one. One read. */
export async function readSession(sessionId: string): Promise<SessionDoc | null> {
  return (await sessionRef(sessionId).get()).data() ?? null;
}

/** A session that this user owns; null for a missing, a foreign and a deleted one alike. One read. */
export async function getOwnSession(uid: string, sessionId: string): Promise<SessionDoc | null> {
  const session = (await sessionRef(sessionId).get()).data();
  return session?.ownerId === uid && !isDeleted(session) ? session : null;
}

/** A session that this user is a member of; null for a missing one and for any other alike. One read. */
export async function getSessionOf(uid: string, sessionId: string): Promise<SessionDoc | null> {
  const session = (await sessionRef(sessionId).get()).data();
  return session && Object.hasOwn(session.members, uid) ? session : null;
}

/**
 * Gives a session a name, or takes it back, in one atomic commit. The name that it has already changes nothing.
 * @throws AppError as requireOwner does, `aborted` (contention).
 */
export async function commitRename(uid: string, sessionId: string, name: string | null): Promise<SessionDoc> {
  const ref = sessionRef(sessionId);
  return commitIfUnchanged(async () => {
    const snapshot = await ref.get();
    const session = requireOwner(snapshot.data(), uid);
    if (session.name === name) return { result: session };
    const next = { ...session, name, version: session.version + 1 };
    return { result: next, write: (batch) => {
      batch.update(ref, { name, version: next.version }, unchanged(snapshot));
      writeEvent(batch, next, 'session.renamed', { name });
    } };
  });
}

/** One page of the sessions that a user is a member of: open ones first (`active` sorts before `ended`), newest first, starting after the given position. */
export async function listSessions(uid: string, limit: number, after: Cursor | null): Promise<SessionDoc[]> {
  const openFirst = db().collection('sessions').where('memberIds', 'array-contains', uid).orderBy('status').orderBy('startedAt', 'desc').orderBy('sessionId', 'desc').limit(limit);
  const query = after ? openFirst.startAfter(after.status, Timestamp.fromMillis(after.startedAt), after.sessionId) : openFirst;
  return (await query.get()).docs.map((doc) => doc.data() as SessionDoc);
}

/** Open sessions whose time is over. */
export async function expiredSessions(now: number, limit: number): Promise<SessionDoc[]> {
  const query = db().collection('sessions').where('status', '==', 'active').where('expiresAt', '<=', Timestamp.fromMillis(now)).orderBy('expiresAt').limit(limit);
  return (await query.get()).docs.map((doc) => doc.data() as SessionDoc);
}

/** Ended sessions whose last settlement has not happened within `olderThanMs`. */
export async function unsettledSessions(now: number, olderThanMs: number, limit: number): Promise<SessionDoc[]> {
  const query = db().collection('sessions').where('settlement', '==', 'pending').where('endedAt', '<=', Timestamp.fromMillis(now - olderThanMs)).orderBy('endedAt').limit(limit);
  return (await query.get()).docs.map((doc) => doc.data() as SessionDoc);
}

/** Ended sessions whose live state may go, and deleted ones whose contents must. */
export async function sessionsToCleanUp(now: number, limit: number): Promise<SessionDoc[]> {
  const query = db().collection('sessions').where('cleanupAt', '<=', Timestamp.fromMillis(now)).orderBy('cleanupAt').limit(limit);
  return (await query.get()).docs.map((doc) => doc.data() as SessionDoc);
}

/**
 * Notes that what was to be done with the contents of an ended session is done, or when (ms since the epoch) to look at
 * it again. Null, and nothing changes, when it was deleted in the meantime: then there is more to do.
 * @throws AppError `aborted` (contention).
 */
export async function markCleanedUp(session: SessionDoc, again: number | null = null): Promise<SessionDoc | null> {
  const cleanupAt = again === null ? null : Timestamp.fromMillis(again);
  return commitIfUnchanged(async (): Promise<Plan<SessionDoc | null>> => {
    const snapshot = await sessionRef(session.sessionId).get();
    const current = snapshot.data();
    if (!current || isDeleted(current) !== isDeleted(session)) return { result: null };
    return { result: { ...current, cleanupAt }, write: (batch) => batch.update(snapshot.ref, { cleanupAt }, unchanged(snapshot)) };
  });
}
