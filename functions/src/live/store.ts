import type { Database, Reference } from 'firebase-admin/database';
import type { ErrorCode, ErrorReason } from '../runtime/errors.ts';
import { liveDatabase, liveDatabases } from '../runtime/firebase.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { judgeRepeat, type Meter, type Repeat, type RequestRecord } from './meter.ts';
import type { SessionContext } from './schema.ts';

/** The live nodes of one session; all of them live in the same database. */
function liveRefs(sessionId: string): Record<'meter' | 'live' | 'context' | 'requests' | 'streams', Reference> {
  const database = liveDatabase(sessionId);
  return {
    meter: database.ref(`meters/${sessionId}`),
    live: database.ref(`live/${sessionId}`),
    context: database.ref(`contexts/${sessionId}`),
    requests: database.ref(`requests/${sessionId}`),
    streams: database.ref(`streams/${sessionId}`),
  };
}

/**
 * Opens the live state of a session: context, live node and meter, each only if it is not there yet, so that a
 * repeat after a crash completes what is missing and never resets a meter. With `resume` an open meter also learns the
 * session's generation and counts as used just now. Returns the meter as it is.
 */
export async function openLive(session: SessionDoc, { resume = false } = {}): Promise<Meter> {
  const { meter, live, context } = liveRefs(session.sessionId);
  const expiresAt = session.expiresAt.toMillis();
  const remaining = session.heldDOFs;
  await Promise.all([
    context.set({ ownerId: session.ownerId, settleEveryDOFs: session.settleEveryDOFs, config: JSON.stringify(session.config) } satisfies StoredContext),
    createOnce(live, {
      owner: session.ownerId,
      agentInstanceId: session.agentInstanceId,
      status: session.status,
      members: session.members,
      dofs: { starting: session.startingDOFs, consumed: session.consumedDOFs, remaining },
      turn: { state: 'idle' },
      lastActivityAt: session.startedAt.toMillis(),
      expiresAt,
      version: session.version,
    }),
  ]);
  const fresh: Meter = {
    open: true,
    generation: session.generation,
    limit: session.settledDOFs + session.heldDOFs,
    consumed: session.consumedDOFs,
    checkpointed: session.settledDOFs,
    expiresAt,
    dueAt: Date.now() + session.config.limits.idleTimeoutMinutes * 60_000,
  };
  const { snapshot } = await meter.transaction((current: Meter | null) => {
    if (current === null) return fresh;
    if (!current.open || !resume) return undefined;
    return { ...current, generation: Math.max(current.generation, fresh.generation), dueAt: Math.max(current.dueAt ?? 0, fresh.dueAt ?? 0) };
  }, undefined, false);
  return snapshot.val() as Meter;
}

/** Creates a node in one round trip, unless it is there already. */
async function createOnce(ref: Reference, value: object): Promise<void> {
  await ref.transaction((current: unknown) => (current === null ? value : undefined), undefined, false);
}

/**
 * Brings `live/` in line with a committed session. Events may arrive late or twice: an older version changes nothing.
 */
export async function mirrorLive(session: SessionDoc): Promise<void> {
  const { live } = liveRefs(session.sessionId);
  const { status, closeReason, members, version, consumedDOFs, startingDOFs, generation } = session;
  const over = status === 'ended';
  await live.transaction((current: { version?: number; dofs?: object } | null) => {
    if (current === null) return null;
    if ((current.version ?? 0) >= version) return undefined;
    const dofs = over ? { starting: startingDOFs, consumed: consumedDOFs, remaining: 0 } : current.dofs;
    return { ...current, status, closeReason, members, version, dofs, ...(over ? { turn: { state: 'idle' } } : {}) };
  }, undefined, false);
  await updateMeter(session.sessionId, (current) => {
    if (!current) return undefined;
    if (over) return !current.open && current.dueAt === undefined ? undefined : withoutDue({ ...current, open: false });
    return current.generation < generation ? { ...current, generation } : undefined;
  });
}

/**
 * Changes the meter in a transaction. `change` gets the meter (null when there is none) and returns the new one, or
 * undefined to leave it; it runs again whenever somebody else was faster.
 */
export async function updateMeter(sessionId: string, change: (meter: Meter | null) => Meter | undefined): Promise<void> {
  await liveRefs(sessionId).meter.transaction((current: Meter | null) => {
    const next = change(current);
    return current === null ? next ?? null : next;
  }, undefined, false);
}

function withoutDue({ dueAt: _dueAt, ...meter }: Meter): Meter {
  return meter;
}

/** Calls `seen` with the meter now and after every change until the returned function is called. */
export function watchMeter(sessionId: string, seen: (meter: Meter | null) => void): () => void {
  const { meter } = liveRefs(sessionId);
  const listener = meter.on('value', (snapshot) => seen(snapshot.val() as Meter | null));
  return () => meter.off('value', listener);
}

/** Claims a request id: creates its record in one round trip, or says what is there already. */
export async function claimRequest(sessionId: string, requestId: string, claim: RequestRecord, now: number): Promise<Repeat> {
  let verdict: Repeat = { kind: 'new' };
  await liveRefs(sessionId).requests.child(requestId).transaction((current: RequestRecord | null) => {
    verdict = judgeRepeat(current, claim.hash, now);
    return verdict.kind === 'new' ? claim : undefined;
  }, undefined, false);
  return verdict;
}

/** The record of a request; null when there is none. */
export async function readRequest(sessionId: string, requestId: string): Promise<RequestRecord | null> {
  return (await liveRefs(sessionId).requests.child(requestId).get()).val() as RequestRecord | null;
}

/** Forgets a request whose turn never began, so that the same id may try again. */
export async function forgetRequest(sessionId: string, requestId: string): Promise<void> {
  await liveRefs(sessionId).requests.child(requestId).remove();
}

/** What changes beside a turn's record, in the same atomic update. */
export interface TurnEnd {
  turnId: string;
  /** Last item of the stream. */
  last: { type: 'done'; outcome: string; cost: number } | { type: 'error'; code: ErrorCode; reason: ErrorReason | null };
  /** Paths below `live/{sessionId}`. */
  live: Record<string, unknown>;
}

/**
 * Records how a turn ended (null forgets it, so that the id may try again), ends its stream and updates `live/`, in
 * one atomic update. Comes before the posting: a crash in between leaves the price on record, and a session that ends
 * right after the posting is mirrored last.
 */
export async function recordTurn(sessionId: string, requestId: string, record: RequestRecord | null, end: TurnEnd): Promise<void> {
  const last = liveRefs(sessionId).streams.child(end.turnId).push().key;
  const live = Object.entries(end.live).map(([path, value]) => [`live/${sessionId}/${path}`, value]);
  await liveDatabase(sessionId).ref().update({
    [`requests/${sessionId}/${requestId}`]: record,
    [`streams/${sessionId}/${end.turnId}/${last}`]: end.last,
    ...Object.fromEntries(live) as Record<string, unknown>,
  });
}

/** Appends reply text to the stream that members watch. */
export async function appendChunk(sessionId: string, turnId: string, text: string): Promise<void> {
  await liveRefs(sessionId).streams.child(turnId).push({ type: 'chunk', text });
}

/** Updates parts of `live/{sessionId}` in one write; keys are paths below it. */
export async function updateLive(sessionId: string, changes: Record<string, unknown>): Promise<void> {
  await liveRefs(sessionId).live.update(changes);
}

/** contexts/{sessionId} as stored: the config as JSON, since the database drops nulls and empty lists. */
interface StoredContext {
  ownerId: string;
  settleEveryDOFs: number;
  config: string;
}
const contexts = new Map<string, SessionContext>();
const maxContexts = 1_000;

/** What a turn needs to know of its session; null when the session has no live state. An instance reads each once. */
export async function readContext(sessionId: string): Promise<SessionContext | null> {
  const known = contexts.get(sessionId);
  if (known) return known;
  const stored = (await liveRefs(sessionId).context.get()).val() as StoredContext | null;
  if (!stored) return null;
  const context = { ...stored, config: JSON.parse(stored.config) as SessionContext['config'] };
  if (contexts.size >= maxContexts) contexts.delete(contexts.keys().next().value!);
  contexts.set(sessionId, context);
  return context;
}

/** Sessions that the sweep must look at: idle ones, and ends that were cut short. */
export async function dueSessions(now: number, limit: number): Promise<{ sessionId: string; meter: Meter }[]> {
  const due = await Promise.all(liveDatabases().map(async (database: Database) => {
    const snapshot = await database.ref('meters').orderByChild('dueAt').startAt(1).endAt(now).limitToFirst(limit).get();
    return Object.entries((snapshot.val() ?? {}) as Record<string, Meter>).map(([sessionId, meter]) => ({ sessionId, meter }));
  }));
  return due.flat();
}

/** Removes everything live of a session. */
export async function removeLive(sessionId: string): Promise<void> {
  const roots = ['live', 'meters', 'contexts', 'requests', 'streams', 'presence'];
  await liveDatabase(sessionId).ref().update(Object.fromEntries(roots.map((root) => [`${root}/${sessionId}`, null])));
}
