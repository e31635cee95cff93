import { FieldValue, Timestamp, type DocumentSnapshot } from 'firebase-admin/firestore';
import { agentRef, getProduct, userRef } from '../agents/store.ts';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import { change } from '../credits/balance.ts';
import { extendHold, placeHold } from '../credits/holds.ts';
import { availableIn } from '../credits/lots.ts';
import type { CheckpointDoc, UsageLine } from '../credits/schema.ts';
import { writeMoney } from '../credits/store.ts';
import { checkpointRef, toCheckpoint } from '../credits/store-settle.ts';
import { commitIfUnchanged, onceCommitted, unchanged, type Plan } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { lines } from '../runtime/lines.ts';
import type { CloseReason, ServerConfig, SessionDoc } from './schema.ts';
import { decideStart, newSession, nextHold, type NewSession, type StartDecision } from './start.ts';
import { parseServerConfig, serverConfigRef, sessionRef, writeEvent } from './store.ts';
import { limitsOf } from './unwrap.ts';

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
    const session = newSession(agent.data()!, product!, server, identity(request, limitsOf(product!, server)));
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

function identity(request: StartRequest, { sessionTimeoutMinutes }: ServerConfig['limits']): NewSession {
  return {
    sessionId: request.sessionId,
    ownerId: request.uid,
    gameContext: request.gameContext,
    startedAt: Timestamp.fromMillis(request.now),
    expiresAt: Timestamp.fromMillis(request.now + sessionTimeoutMinutes * 60_000),
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
  /** How many turns have begun after a long wait; absent: none. */
  longWaits?: number;
}

/**
 * Ends a session with its final total in one atomic commit: session, the user's open sessions, the final checkpoint
 * (whose trigger settles it) and the event. A session that has ended already is returned as it is. Null when unknown.
 */
export async function commitEnd(sessionId: string, reason: CloseReason, { total: meteredTotal, lines: usage, longWaits = 0 }: FinalUsage, now: number): Promise<SessionDoc | null> {
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
      batch.create(checkpointRef(sessionId, 'final'), toCheckpoint(session, consumedDOFs, usage, true) as CheckpointDoc);
      const durationMs = now - session.startedAt.toMillis();
      writeEvent(batch, ended, 'session.ended', { closeReason, consumedDOFs, durationMs, longWaits });
      onceCommitted(batch, () => lines.sessionEnded.write({ sessionId, agentInstanceId: session.agentInstanceId, closeReason: reason, durationMs, consumedDOFs }));
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
