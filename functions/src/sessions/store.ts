import { FieldValue, Timestamp, type DocumentReference, type DocumentSnapshot } from 'firebase-admin/firestore';
import { agentRef, getProduct, userRef } from '../agents/store.ts';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import { change } from '../credits/balance.ts';
import { extendHold, placeHold } from '../credits/holds.ts';
import { availableIn } from '../credits/lots.ts';
import type { CheckpointDoc, UsageLine } from '../credits/schema.ts';
import { writeMoney } from '../credits/store.ts';
import { checkpointRef, toCheckpoint } from '../credits/store-settle.ts';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { log } from '../runtime/log.ts';
import { requireOwner } from './members.ts';
import { serverConfigSchema, type CloseReason, type Cursor, type ServerConfig, type SessionDoc } from './schema.ts';
import { decideStart, newSession, nextHold, type NewSession, type StartDecision } from './start.ts';

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

/** A request to start, with what the caller of the store decides: id, clock. */
export interface StartRequest {
  uid: string;
  agentInstanceId: string;
  takeOver: boolean;
  gameContext: SessionDoc['gameContext'];
  sessionId: string;
  now: number;
}

/** A start that came through: the session, whether it is new, or a session that has to end first. */
export type StartResult = { kind: 'started' | 'resumed'; session: SessionDoc } | Extract<StartDecision, { kind: 'end-first' }>;

/**
 * Starts or resumes in one atomic commit: session, hold on the agent, the user's open sessions and the event.
 * Two round trips (reads, commit) when the product is known to this instance, three when it is not.
 * @throws AppError as decideStart does, or `aborted` under lasting contention.
 */
export async function commitStart(request: StartRequest): Promise<StartResult> {
  const userDoc = userRef(request.uid);
  const agentDoc = agentRef(request.uid, request.agentInstanceId);
  return commitIfUnchanged(async (): Promise<Plan<StartResult>> => {
    const [user, agent, config] = await db().getAll(userDoc, agentDoc, serverConfigRef()) as [DocumentSnapshot<UserDoc>, DocumentSnapshot<AgentDoc>, DocumentSnapshot];
    const server = parseServerConfig(config);
    const [open, product] = await Promise.all([
      openSessions(Object.keys(user.data()?.activeSessions ?? {})),
      agent.exists ? getProduct(agent.data()!.agentProductId, agent.data()!.productVersion) : null,
    ]);
    const facts = { user: user.data() ?? null, agent: agent.data() ?? null, product, server, open: open.map((snapshot) => snapshot.data()!), now: request.now };
    const decision = decideStart(facts, request);
    if (decision.kind === 'end-first') return { result: decision };
    if (decision.kind === 'resume') return resume(open.find((snapshot) => snapshot.id === decision.session.sessionId)!, request.takeOver);
    const session = newSession(agent.data()!, product!, server, identity(request, server));
    const { sessionId, heldDOFs, startedAt: createdAt, expiresAt } = session;
    const money = change(agent.data()!, request.now, (draft) => placeHold(draft, sessionId, heldDOFs, { sessionId, createdAt, expiresAt }, request.now));
    return { result: { kind: 'started', session }, write: (batch) => {
      batch.update(userDoc, { [`activeSessions.${sessionId}`]: session.agentInstanceId }, unchanged(user));
      writeMoney(batch, agent, money);
      batch.create(sessionRef(sessionId), session);
      writeEvent(batch, session, 'session.started', { startingDOFs: session.startingDOFs, heldDOFs, agentProductId: session.agentProductId });
    } };
  });
}

/**
 * Adds another step to the hold of an open session that needs `missing` DOFs more than its `limit` allows, in one
 * atomic commit. A hold that has grown beyond `limit` already is answered as it is: the meter had not heard of it.
 * Null when nothing can be added. Returns all DOFs that were ever held for the session.
 */
export async function extendSessionHold(sessionId: string, limit: number, missing: number, now: number): Promise<number | null> {
  const ref = sessionRef(sessionId);
  return commitIfUnchanged(async (): Promise<Plan<number | null>> => {
    const snapshot = await ref.get();
    const session = snapshot.data();
    if (session?.status !== 'active') return { result: null };
    const known = session.settledDOFs + session.heldDOFs;
    if (known > limit) return { result: known };
    const agent = await agentRef(session.ownerId, session.agentInstanceId).get();
    if (!agent.data()?.holds[sessionId]) return { result: null };
    const { lots, holds } = agent.data()!;
    const more = nextHold(session, availableIn(lots, holds, now), missing);
    if (more === 0) return { result: null };
    const next = { ...session, heldDOFs: session.heldDOFs + more, version: session.version + 1 };
    const money = change(agent.data()!, now, (draft) => extendHold(draft, sessionId, more, now));
    return { result: known + more, write: (batch) => {
      batch.update(ref, { heldDOFs: next.heldDOFs, version: next.version }, unchanged(snapshot));
      writeMoney(batch, agent, money);
      writeEvent(batch, next, 'session.hold_extended', { addedDOFs: more, heldDOFs: next.heldDOFs });
    } };
  });
}

/** Resuming writes nothing, unless the caller takes over: then the generation rises and fences the client before. */
function resume(snapshot: DocumentSnapshot<SessionDoc>, takeOver: boolean): Plan<StartResult> {
  const session = snapshot.data()!;
  if (!takeOver) return { result: { kind: 'resumed', session } };
  const next = { ...session, generation: session.generation + 1, version: session.version + 1 };
  return { result: { kind: 'resumed', session: next }, write: (batch) => {
    batch.update(snapshot.ref, { generation: next.generation, version: next.version }, unchanged(snapshot));
    writeEvent(batch, next, 'session.taken_over', { generation: next.generation });
  } };
}

function identity(request: StartRequest, server: ServerConfig): NewSession {
  return {
    sessionId: request.sessionId,
    ownerId: request.uid,
    gameContext: request.gameContext,
    startedAt: Timestamp.fromMillis(request.now),
    expiresAt: Timestamp.fromMillis(request.now + server.limits.sessionTimeoutMinutes * 60_000),
  };
}

async function openSessions(ids: string[]): Promise<DocumentSnapshot<SessionDoc>[]> {
  if (ids.length === 0) return [];
  const snapshots = await db().getAll(...ids.map(sessionRef)) as DocumentSnapshot<SessionDoc>[];
  return snapshots.filter((snapshot) => snapshot.data()?.status === 'active');
}

/** How long the live state of an ended session stays readable before the sweep removes it. */
const cleanupAfterMs = 60 * 60 * 1000;

/** What the meter of a session came to: its total in DOFs (null when there is no meter), and the turns that no checkpoint has. */
export interface FinalUsage {
  total: number | null;
  lines: UsageLine[];
}

/**
 * Ends a session with its final total in one atomic commit: session, the user's open sessions, the final checkpoint
 * (whose trigger settles it) and the event. A session that has ended already is returned as it is. Null when unknown.
 */
export async function commitEnd(sessionId: string, reason: CloseReason, { total: meteredTotal, lines }: FinalUsage, now: number): Promise<SessionDoc | null> {
  const ref = sessionRef(sessionId);
  return commitIfUnchanged(async () => {
    const snapshot = await ref.get();
    const session = snapshot.data();
    if (!session || session.status === 'ended') return { result: session ?? null };
    const user = await userRef(session.ownerId).get();
    const ended = endedSession(session, reason, meteredTotal ?? session.consumedDOFs, now);
    const { status, closeReason, consumedDOFs, endedAt, settlement, version, cleanupAt } = ended;
    return { result: ended, write: (batch) => {
      batch.update(ref, { status, closeReason, consumedDOFs, endedAt, settlement, version, cleanupAt }, unchanged(snapshot));
      // A session must be able to end when its account is gone, and must not bring the account back.
      if (user.exists) batch.update(user.ref, { [`activeSessions.${sessionId}`]: FieldValue.delete() });
      batch.create(checkpointRef(sessionId, 'final'), toCheckpoint(session, consumedDOFs, lines, true) as CheckpointDoc);
      writeEvent(batch, ended, 'session.ended', { closeReason, consumedDOFs, durationMs: now - session.startedAt.toMillis() });
    } };
  });
}

function endedSession(session: SessionDoc, closeReason: CloseReason, total: number, now: number): SessionDoc {
  return {
    ...session,
    status: 'ended',
    closeReason,
    consumedDOFs: Math.max(total, session.settledDOFs),
    endedAt: Timestamp.fromMillis(now),
    settlement: 'pending',
    version: session.version + 1,
    cleanupAt: Timestamp.fromMillis(now + cleanupAfterMs),
  };
}

/** Writes the event of a change into the commit of that change; `session` is as it is afterwards. */
export function writeEvent(batch: FirebaseFirestore.WriteBatch, session: SessionDoc, type: Parameters<typeof newEvent>[0]['type'], data: Record<string, unknown>): void {
  const { sessionId, ownerId, agentInstanceId, version } = session;
  const event = newEvent({ type, subject: sessionId, sequence: version, data: { sessionId, userId: ownerId, agentInstanceId, ...data } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}

/** A session that this user owns; null for a missing and for a foreign one alike. One read. */
export async function getOwnSession(uid: string, sessionId: string): Promise<SessionDoc | null> {
  const session = (await sessionRef(sessionId).get()).data();
  return session?.ownerId === uid ? session : null;
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

/** Ended sessions whose live state may go. */
export async function sessionsToCleanUp(now: number, limit: number): Promise<SessionDoc[]> {
  const query = db().collection('sessions').where('cleanupAt', '<=', Timestamp.fromMillis(now)).orderBy('cleanupAt').limit(limit);
  return (await query.get()).docs.map((doc) => doc.data() as SessionDoc);
}

/** Notes that the live state of an ended session is gone. */
export async function markCleanedUp(sessionId: string): Promise<void> {
  await sessionRef(sessionId).update({ cleanupAt: null });
}
