import type { KeptMedia } from '../media/schema.ts';
import { extendSessionHold } from '../sessions/store-lifecycle.ts';
import { AppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { askModel, type Answer, type AskDeps } from './ask.ts';
import { isWhole } from './endings.ts';
import { takeLease, type Leased, type LeaseDeps, type LeaseOptions } from './lease.ts';
import { outdated } from './kept-streams.ts';
import { spendableLeft } from './meter.ts';
import { requestKey, type RequestRecord } from './requests.ts';
import { postTurn } from './posting.ts';
import { prepareTurn, type PreparedTurn } from './prepare.ts';
import type { Waiting } from './queue.ts';
import { answerRepeat, closedRecord, resultOf, type TurnResult } from './results.ts';
import type { ProcessFrameInput, SessionContext } from './schema.ts';
import { showEnded } from './store.ts';
import { claimRequest, closeRequest, keepRequest } from './store-requests.ts';
import { endTurn, type TurnEnd } from './store-streams.ts';
import { StreamWriter } from './stream.ts';
import { lostLease, watchLease, type LeaseWatch } from './waiting.ts';

/** What a turn is given from outside: clock and ids, its abilities, the way to end a session. */
export interface TurnDeps extends Pick<LeaseDeps, 'now' | 'endSession'>, AskDeps {
  newId: () => string;
}

/** Who watches the turn: gets text as it comes; `signal` is aborted when the caller has gone. */
export interface TurnStream {
  uid: string;
  emit: (chunk: unknown) => void;
  signal: AbortSignal;
  /** Called once frame and sound are decoded: from then on the turn needs neither of them as text. */
  decoded?: () => void;
}

/** How much longer than the turn itself its lease lasts: covers the writes at its end. */
const leaseGraceMs = 10_000;

/**
 * One turn: claim the request id, take the meter's lease, after the turns before it where the caller waits, ask the
 * model, close the request at its price, post it. A frame costs four sequential Realtime Database round trips and no
 * Firestore operation; it is decoded once the lease is held, so that nobody can make an instance decode more than one
 * frame per session at a time. What the player says costs one more, for the turns before it, and Firestore operations
 * only where the agent has memory. Waiting costs one for the ticket, and one for each time that it may be its turn.
 * @throws AppError as prepareTurn, takeLease and the providers do. Nothing is charged then, except when the turn
 *   lost its lease (provider_timeout): a repeat of the request says at what price it was closed.
 */
export async function processTurn(input: ProcessFrameInput, context: SessionContext, deps: TurnDeps, stream: TurnStream): Promise<TurnResult> {
  const { sessionId, requestId } = input;
  const config = stream.uid === context.ownerId ? context.config : forGuests(context.config);
  const prepared = prepareTurn(input, config);
  stream.decoded?.();
  const turnId = deps.newId();
  const startedAt = deps.now();
  const { limits } = context.config;
  const by = stream.uid === context.ownerId ? undefined : stream.uid;
  const key = requestKey(requestId, by);
  const lease: LeaseOptions = {
    fence: turnId,
    requestKey: key,
    ...(by === undefined ? {} : { by }),
    ...(input.queue ? { waits: waiting(startedAt, limits) } : {}),
    leaseMs: limits.turnTimeoutSeconds * 1000 + leaseGraceMs,
    idleMs: limits.idleTimeoutMinutes * 60_000,
    settleEvery: context.settleEveryDOFs,
  };
  const watch = watchLease(sessionId, turnId, deps.now);
  const release = keepRequest(sessionId, key);
  try {
    const claim: RequestRecord = {
      hash: prepared.hash, state: 'running', expiresAt: (lease.waits?.until ?? startedAt) + lease.leaseMs + leaseGraceMs, turnId, input: JSON.stringify(prepared.about), model: prepared.model.model,
      ...whose(lease, requestId),
    };
    const repeat = await claimRequest(sessionId, key, claim, startedAt);
    if (repeat.kind !== 'new') return answerRepeat(requestId, repeat, context);
    const extendHold: LeaseDeps['extendHold'] = (limit, missing) => extendSessionHold(sessionId, limit, missing, deps.now());
    const leased = await takeLease(input, prepared, lease, { ...deps, extendHold, watch, callerGone: stream.signal });
    const writer = new StreamWriter(sessionId, turnId, stream.uid, watch.signal);
    return await runLeased({ ...leased, input, context: { ...context, config }, prepared, turnId, lease, deps, stream, writer, watch });
  } finally {
    release();
    watch.stop();
  }
}

/** The config of turns that are not the owner's: what the agent remembers is its owner's alone. */
function forGuests(config: SessionContext['config']): SessionContext['config'] {
  return { ...config, hasMemory: false };
}

/** How a caller waits whose call came at this time. Where the session is from before turns could wait, it does not. */
function waiting(since: number, { maxQueueSeconds = 0, maxQueuedTurns = 0 }: Partial<SessionContext['config']['limits']>): Waiting {
  return { since, until: since + maxQueueSeconds * 1000, most: maxQueuedTurns };
}

/** Who asked under which id, where that is not the owner. */
function whose({ by }: LeaseOptions, requestId: string): Pick<RequestRecord, 'by' | 'requestId'> {
  return by === undefined ? {} : { by, requestId };
}

interface LeasedTurn extends Leased {
  input: ProcessFrameInput;
  context: SessionContext;
  prepared: PreparedTurn;
  turnId: string;
  lease: LeaseOptions;
  deps: TurnDeps;
  stream: TurnStream;
  writer: StreamWriter;
  watch: LeaseWatch;
}

async function runLeased(turn: LeasedTurn): Promise<TurnResult> {
  const { input: { sessionId, instruction }, prepared, turnId, lease, meter, deps, stream, writer, watch } = turn;
  const { config, ownerId, agentInstanceId } = turn.context;
  const about = { sessionId, turnId, ownerId, agentInstanceId, config };
  const beside: Promise<void>[] = [];
  const answer = await askModel({ about, prepared, held: meter.turn!.held, scene: meter.scene, emit: stream.emit, writer, beside: (work) => void beside.push(work), callerGone: stream.signal, closed: watch.signal }, deps);
  if (answer.cutBecause) log.warn('turn cut', { sessionId, turnId, because: answer.cutBecause, reason: answer.error?.details?.reason });
  const { degradations, reply, toKeep = [] } = answer;
  if (degradations.length > 0) log.warn('turn degraded', { sessionId, turnId, degradations });
  // Beside the posting: none can fail the turn, and a function that has answered may be stopped.
  const keptMedia = toKeep.length > 0 ? deps.abilities.keep(about, stream.uid, toKeep) : Promise.resolve([]);
  const kept = [
    ...beside,
    keptMedia,
    ...(degradations.length > 0 ? [deps.abilities.report(about, degradations)] : []),
    ...(config.hasMemory && lease.by === undefined && instruction !== undefined && reply !== '' && isWhole(answer) ? [deps.abilities.remember(about, { instruction, reply })] : []),
  ];
  try {
    return await (answer.outcome === 'failed' ? fail(turn, answer) : succeed(turn, answer, keptMedia));
  } finally {
    await Promise.all(kept);
  }
}

/** Gives the hold back: the same request id may try again. */
async function fail(turn: LeasedTurn, answer: Answer): Promise<never> {
  const { turnId, meter, stream } = turn;
  const error = answer.error ?? new AppError('unavailable', 'The model gave no answer. Try again.', { reason: 'provider_unavailable' });
  await closeAndPost(turn, 0, null, {
    turnId,
    last: { type: 'error', by: stream.uid, code: error.code, reason: error.details?.reason ?? null },
    live: { 'dofs/consumed': meter.consumed, 'dofs/remaining': spendableLeft(meter, meter.consumed) },
  });
  throw error;
}

async function succeed(turn: LeasedTurn, answer: Answer, keptMedia: Promise<KeptMedia[]>): Promise<TurnResult> {
  const { input: { requestId }, context, prepared, turnId, lease, meter, waitedMs, deps } = turn;
  const { outcome, cutBecause, reply, speech, priced: { cost } } = answer;
  const consumed = meter.consumed + cost;
  const remainingDOFs = spendableLeft(meter, consumed);
  const record = { ...closedRecord(answer, { turnId, prepared, consumed, remainingDOFs, now: deps.now() }), ...whose(lease, requestId) };
  await closeAndPost(turn, cost, record, {
    turnId,
    last: reply === '' ? null : { type: 'done', outcome, cost, ...(cutBecause ? { cutBecause } : {}) },
    live: { 'dofs/consumed': consumed, 'dofs/remaining': remainingDOFs, lastActivityAt: deps.now() },
  }, answer.scene);
  return resultOf(requestId, record, context, { speech, keptMedia: await keptMedia, replayed: false, waitedMs });
}

/**
 * Closes the request first: from then on its record is the price, whoever posts it. What members see is sent before the
 * posting, on the same connection, which keeps the order: a session that ends right after the posting is mirrored last.
 */
async function closeAndPost({ input: { sessionId }, turnId, lease, meter, deps, writer }: LeasedTurn, cost: number, record: RequestRecord | null, end: Omit<TurnEnd, 'rest' | 'outdated'>, scene?: string): Promise<void> {
  const { won } = await closeRequest(sessionId, lease.requestKey, turnId, () => record);
  if (!won) {
    await showEnded(sessionId);
    throw lostLease();
  }
  const { shown } = await endTurn(sessionId, { ...end, rest: writer.rest(), outdated: outdated(meter.streams) });
  const told = shown.catch(() => log.warn('live state not written', { sessionId, turnId }));
  await postTurn(sessionId, { ...lease, cost, streamed: end.last !== null, ...(scene === undefined ? {} : { scene }) }, deps.now());
  await told;
}
