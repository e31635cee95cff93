import { FieldValue, Timestamp, type DocumentReference, type DocumentSnapshot, type WriteBatch } from 'firebase-admin/firestore';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import { agentRef, userRef } from '../agents/store.ts';
import { change } from '../credits/balance.ts';
import { availableIn } from '../credits/lots.ts';
import { placeHold, prepayHold, resolveHold, type ResolvedHold } from '../credits/holds.ts';
import { writeMoney, writeResolvedHold, type AgentEvent } from '../credits/store.ts';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import type { ProviderName } from '../providers/types.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { newId, now } from '../runtime/system.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { requireOpen } from '../sessions/members.ts';
import { sessionRef } from '../sessions/store.ts';
import type { VoiceTokenDoc } from './schema.ts';
import { decideAttempt, givenBack, graceMs, type VoiceTerms } from './voice.ts';

/** sessions/{sessionId}/voiceTokens/{requestId} */
export function voiceTokenRef(sessionId: string, requestId: string): DocumentReference<VoiceTokenDoc> {
  return sessionRef(sessionId).collection('voiceTokens').doc(requestId) as DocumentReference<VoiceTokenDoc>;
}

/** Which token of which user. */
export interface VoiceRequest {
  uid: string;
  sessionId: string;
  requestId: string;
}

/** An attempt that may ask the vendor: its hold is placed. */
export interface VoiceAttempt {
  request: VoiceRequest;
  doc: VoiceTokenDoc;
  tokensLeftToday: number;
}

/** The documents that every step reads; `agent` belongs to the session. */
interface Reading {
  session: DocumentSnapshot<SessionDoc>;
  known: DocumentSnapshot<VoiceTokenDoc>;
  user: DocumentSnapshot<UserDoc>;
  agent: DocumentSnapshot<AgentDoc>;
}

/** @throws AppError `not-found` for a missing and a foreign session alike. */
async function read({ uid, sessionId, requestId }: VoiceRequest): Promise<Reading> {
  const [session, known, user] = await db().getAll(sessionRef(sessionId), voiceTokenRef(sessionId, requestId), userRef(uid)) as [Reading['session'], Reading['known'], Reading['user']];
  const data = session.data();
  if (data?.ownerId !== uid) throw new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
  return { session, known, user, agent: await agentRef(uid, data.agentInstanceId).get() };
}

/** @throws AppError `resource-exhausted` (insufficient_dofs): what the session has set aside for its turns does not pay for a token. */
function requireCovered(available: number, price: number): void {
  if (available >= price) return;
  throw new AppError('resource-exhausted', `This token costs ${price} DOFs, and ${available} of the agent's DOFs are not set aside for turns. Ask for fewer minutes, start a new session, or top the agent up.`, {
    reason: 'insufficient_dofs', availableDOFs: available, neededDOFs: price,
  });
}

/**
 * Begins an attempt in one atomic commit: the user's quota, the hold for the whole lifetime, the record of the token and
 * the events. The session is read with them, and again when the token is there: one that ends in between gets none.
 * @throws AppError as decideAttempt and placeHold do, `not-found`, `aborted` (contention); nothing is written then.
 */
export async function beginAttempt(request: VoiceRequest, provider: ProviderName, terms: VoiceTerms): Promise<VoiceAttempt> {
  return commitIfUnchanged(async (): Promise<Plan<VoiceAttempt>> => {
    const { session, known, user, agent } = await read(request);
    if (!user.exists || !agent.exists) throw new AppError('failed-precondition', 'The agent of this session is not available any more.', { reason: 'agent_unavailable' });
    const at = now();
    const { attempt, replacedHoldId, quota } = decideAttempt({ session: session.data()!, user: user.data()!, agent: agent.data()!, known: known.data() ?? null, now: at }, terms);
    const { price: heldDOFs, ...about } = terms;
    const holdId = `voice-${newId()}`;
    const [startedAt, expiresAt] = [Timestamp.fromMillis(at), Timestamp.fromMillis(at + terms.minutes * 60_000)];
    const doc: VoiceTokenDoc = { requestId: request.requestId, holdId, provider, ...about, heldDOFs, state: 'minting', attempt, startedAt, mintedAt: null, expiresAt };
    const hold = { sessionId: null, originSessionId: request.sessionId, createdAt: startedAt, expiresAt: Timestamp.fromMillis(expiresAt.toMillis() + graceMs) };
    let replaced: ResolvedHold | null = null;
    const money = change(agent.data()!, at, (draft) => {
      if (replacedHoldId !== null) replaced = resolveHold(draft, replacedHoldId, 'released');
      requireCovered(availableIn(draft.lots, draft.holds, at), heldDOFs);
      placeHold(draft, holdId, heldDOFs, hold, at);
    });
    const placed: AgentEvent = { type: 'hold.placed', data: { holdId, state: 'pending', heldDOFs, postedDOFs: 0, releasedDOFs: 0, expiresAt: hold.expiresAt.toDate().toISOString(), sessionId: request.sessionId } };
    const tokensLeftToday = Math.max(0, session.data()!.config.limits.voiceTokensPerDay - quota.count);
    return { result: { request, doc, tokensLeftToday }, write: (batch) => {
      writeMoney(batch, agent, money, [...(replaced ? [released(replaced, money.balance.currentDOFs)] : []), placed]);
      if (replaced) writeResolvedHold(batch, agent.ref, replaced);
      batch.update(user.ref, { voiceTokens: quota }, unchanged(user));
      if (known.exists) batch.update(known.ref, { ...doc }, unchanged(known));
      else batch.create(known.ref, doc);
    } };
  });
}

/** What the vendor has handed out; `expiresAt` in ms since the epoch. */
export interface Minted {
  provider: ProviderName;
  expiresAt: number;
}

/**
 * Records in one atomic commit that the token is there: its state, the hold that is posted when it expires, the session's
 * event. Only afterwards may the token be shown.
 * @throws AppError `failed-precondition` (session_closed) when the session has ended meanwhile, `aborted` (contention)
 *   when the request was tried again or the hold is gone.
 */
export async function recordMinted({ request, doc: { attempt, holdId } }: VoiceAttempt, { provider, expiresAt }: Minted): Promise<void> {
  await commitIfUnchanged(async (): Promise<Plan<void>> => {
    const { session, known, agent } = await read(request);
    const token = known.data();
    if (token?.attempt !== attempt || token.state === 'failed') throw overtaken();
    if (token.state === 'minted') return { result: undefined };
    const at = now();
    requireOpen(session.data()!, at);
    if (!agent.data()?.holds[holdId]) throw overtaken();
    const money = change(agent.data()!, at, (draft) => prepayHold(draft, holdId));
    return { result: undefined, write: (batch) => {
      writeMoney(batch, agent, money);
      batch.update(known.ref, { state: 'minted', provider, mintedAt: FieldValue.serverTimestamp(), expiresAt: Timestamp.fromMillis(expiresAt) }, unchanged(known));
      writeSession(batch, session, { requestId: request.requestId, provider, model: token.model, minutes: token.minutes, heldDOFs: token.heldDOFs, holdId, expiresAt: new Date(expiresAt).toISOString() });
    } };
  });
}

/**
 * Takes an attempt back whose token was not shown to anybody, in one atomic commit: the hold is released, the quota given
 * back, the request may be tried again. Harmless when it was taken back or overtaken already.
 */
export async function takeBack({ request, doc: { attempt, holdId } }: VoiceAttempt, { countsAllTheSame = false } = {}): Promise<void> {
  await commitIfUnchanged(async (): Promise<Plan<void>> => {
    const { known, user, agent } = await read(request);
    const token = known.data();
    if (token?.attempt !== attempt || token.state === 'failed') return { result: undefined };
    const quota = countsAllTheSame ? undefined : givenBack(user.data()?.voiceTokens, token.startedAt.toMillis());
    let resolved: ResolvedHold | null = null;
    const money = agent.data()?.holds[holdId] ? change(agent.data()!, now(), (draft) => { resolved = resolveHold(draft, holdId, 'released'); }) : null;
    return { result: undefined, write: (batch) => {
      batch.update(known.ref, { state: 'failed', mintedAt: null }, unchanged(known));
      if (user.exists && quota) batch.update(user.ref, { voiceTokens: quota }, unchanged(user));
      if (!money || !resolved) return;
      writeMoney(batch, agent, money, [released(resolved, money.balance.currentDOFs)]);
      writeResolvedHold(batch, agent.ref, resolved);
    } };
  });
}

/** The tokens that were handed out in a session, oldest first. */
export async function mintedTokens(sessionId: string): Promise<VoiceTokenDoc[]> {
  const { docs } = await sessionRef(sessionId).collection('voiceTokens').where('state', '==', 'minted').get();
  return docs.map((doc) => doc.data() as VoiceTokenDoc).sort((a, b) => a.startedAt.toMillis() - b.startedAt.toMillis());
}

function writeSession(batch: WriteBatch, session: DocumentSnapshot<SessionDoc>, data: Record<string, unknown>): void {
  const { sessionId, ownerId, agentInstanceId, version } = session.data()!;
  batch.update(session.ref, { version: version + 1 }, unchanged(session));
  const event = newEvent({ type: 'session.voice_token_minted', subject: sessionId, sequence: version + 1, data: { sessionId, userId: ownerId, agentInstanceId, ...data } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}

function released({ holdId, postedDOFs, releasedDOFs }: ResolvedHold, balanceAfter: number): AgentEvent {
  return { type: 'hold.released', data: { holdId, postedDOFs, releasedDOFs, balanceAfter } };
}

function overtaken(): AppError {
  return new AppError('aborted', 'This request was overtaken by another attempt. Ask again later; nothing was charged for this one.', { reason: 'contention', retryAfterMs: 1_000 });
}
