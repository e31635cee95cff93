import { charge, type Charge, type Ending } from '../credits/charge.ts';
import { noUsage, type ModelProvider } from '../providers/types.ts';
import { AppError, toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import type { Meter, RequestRecord } from './meter.ts';
import { lostLease, takeLease, watchLease, type LeaseDeps, type LeaseOptions, type LeaseWatch } from './lease.ts';
import { runModel, type ModelRun } from './model.ts';
import { postTurn } from './posting.ts';
import { prepareTurn, type PreparedTurn } from './prepare.ts';
import type { ProcessFrameInput, processFrameOutput, SessionContext } from './schema.ts';
import { claimRequest, forgetRequest, recordTurn, updateLive } from './store.ts';
import { StreamWriter } from './stream.ts';
import type { z } from 'zod';

/** What a turn is given from outside beside what its lease needs: the provider for a config, and ids. */
export interface TurnDeps extends LeaseDeps {
  provider: (config: SessionConfig) => Promise<ModelProvider>;
  newId: () => string;
}

/** Who watches the turn: gets text as it comes; `signal` is aborted when the caller has gone. */
export interface TurnStream {
  uid: string;
  emit: (chunk: unknown) => void;
  signal: AbortSignal;
}

type TurnResult = z.input<typeof processFrameOutput>;

/** How much longer than the turn itself its lease lasts: covers the writes at its end. */
const leaseGraceMs = 10_000;

/**
 * One turn: claim the request id, take the meter's lease, ask the model, record, post. An ordinary turn costs four
 * sequential Realtime Database round trips and no Firestore operation.
 * @throws AppError as prepareTurn, takeLease and the providers do. Nothing is charged then, except when the turn
 *   lost its lease (provider_timeout): a repeat of the request says at what price it was closed.
 */
export async function processTurn(input: ProcessFrameInput, context: SessionContext, deps: TurnDeps, stream: TurnStream): Promise<TurnResult> {
  const { sessionId, requestId } = input;
  const prepared = prepareTurn(input, context.config);
  const turnId = deps.newId();
  const { limits } = context.config;
  const lease: LeaseOptions = {
    fence: turnId,
    leaseMs: limits.turnTimeoutSeconds * 1000 + leaseGraceMs,
    idleMs: limits.idleTimeoutMinutes * 60_000,
    settleEvery: context.settleEveryDOFs,
  };
  const watch = watchLease(sessionId, turnId);
  try {
    const repeat = await claimRequest(sessionId, requestId, { hash: prepared.hash, state: 'running', expiresAt: deps.now() + lease.leaseMs + leaseGraceMs }, deps.now());
    if (repeat.kind !== 'new') return answerRepeat(input, repeat, context);
    const meter = await leaseOrForget(input, prepared, lease, deps);
    return await runLeased({ input, context, prepared, turnId, lease, meter, deps, stream, watch });
  } finally {
    watch.stop();
  }
}

async function leaseOrForget(input: ProcessFrameInput, prepared: PreparedTurn, lease: LeaseOptions, deps: TurnDeps): Promise<Meter> {
  try {
    return await takeLease(input, prepared, lease, deps);
  } catch (error) {
    await forgetRequest(input.sessionId, input.requestId).catch(() => undefined);
    throw error;
  }
}

interface LeasedTurn {
  input: ProcessFrameInput;
  context: SessionContext;
  prepared: PreparedTurn;
  turnId: string;
  lease: LeaseOptions;
  meter: Meter;
  deps: TurnDeps;
  stream: TurnStream;
  watch: LeaseWatch;
}

async function runLeased(turn: LeasedTurn): Promise<TurnResult> {
  const { context, prepared } = turn;
  const run = await askModel(turn);
  if (turn.watch.lost() || turn.deps.now() >= (turn.meter.turn?.expiresAt ?? 0)) throw lostLease();
  if (run.outcome === 'cut') log.warn('turn cut', { sessionId: turn.input.sessionId, turnId: turn.turnId, reason: run.error?.details?.reason });
  const priced = charge(endingOf(run), context.config.dofRates, prepared.priced, prepared.held);
  return run.outcome === 'failed' ? fail(turn, run) : succeed(turn, { ...run, outcome: run.outcome }, priced);
}

async function askModel({ input, context, prepared, turnId, meter, deps, stream, watch }: LeasedTurn): Promise<ModelRun & { provider: ModelProvider['name'] | null }> {
  const { sessionId } = input;
  const writer = new StreamWriter(sessionId, turnId);
  const live: Promise<boolean>[] = [shown(updateLive(sessionId, { turn: { id: turnId, state: 'thinking', by: stream.uid } }))];
  try {
    const provider = await deps.provider(context.config);
    const timeoutMs = context.config.limits.turnTimeoutSeconds * 1000;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new AppError('deadline-exceeded', 'The model did not finish in time.', { reason: 'provider_timeout' })), timeoutMs);
    let spoke = false;
    const run = await runModel(provider, {
      ...prepared.model,
      ...(meter.scene === undefined ? {} : { sceneBefore: meter.scene }),
      signal: AbortSignal.any([stream.signal, timeout.signal, watch.signal]),
    }, (text) => {
      stream.emit({ type: 'chunk', turnId, text });
      writer.add(text, deps.now());
      if (!spoke) live.push(shown(updateLive(sessionId, { 'turn/state': 'speaking' })));
      spoke = true;
    });
    clearTimeout(timer);
    return { ...run, provider: provider.name };
  } catch (error) {
    return { reply: '', outcome: 'failed', usage: noUsage, error: toAppError(error), provider: null };
  } finally {
    const written = await Promise.all([shown(writer.end()), ...live]);
    if (written.includes(false)) log.warn('live state not written', { sessionId, turnId });
  }
}

/** Whether a write to the live state came through; a turn goes on without it. */
function shown(write: Promise<void>): Promise<boolean> {
  return write.then(() => true, () => false);
}

function endingOf(run: ModelRun): Ending {
  if (run.outcome === 'failed') return { kind: 'failed' };
  return run.outcome === 'cut' ? { kind: 'cut', estimated: run.usage } : { kind: 'answered', usage: run.usage };
}

/** Gives the hold back: the same request id may try again. */
async function fail(turn: LeasedTurn, run: ModelRun): Promise<never> {
  const { input, turnId, lease, meter, deps } = turn;
  const error = run.error ?? new AppError('unavailable', 'The model gave no answer. Try again.', { reason: 'provider_unavailable' });
  await recordTurn(input.sessionId, input.requestId, null, {
    turnId,
    last: { type: 'error', code: error.code, reason: error.details?.reason ?? null },
    live: { 'dofs/consumed': meter.consumed, 'dofs/remaining': meter.limit - meter.consumed, turn: { state: 'idle' } },
  });
  await postTurn(input.sessionId, { ...lease, cost: 0 }, deps.now());
  throw error;
}

async function succeed(turn: LeasedTurn, run: ModelRun & { outcome: TurnResult['outcome']; provider: ModelProvider['name'] | null }, { cost, estimated }: Charge): Promise<TurnResult> {
  const { input, context, prepared, turnId, lease, meter, deps } = turn;
  const { sessionId, requestId } = input;
  const provider = run.provider ?? context.config.provider;
  const consumed = meter.consumed + cost;
  const remainingDOFs = meter.limit - consumed;
  const record: RequestRecord = {
    hash: prepared.hash, state: 'done', expiresAt: deps.now(), turnId, cost, estimated, outcome: run.outcome, reply: run.reply, provider, consumed, remainingDOFs,
  };
  await recordTurn(sessionId, requestId, record, {
    turnId,
    last: { type: 'done', outcome: run.outcome, cost },
    live: { 'dofs/consumed': consumed, 'dofs/remaining': remainingDOFs, turn: { state: 'idle' }, lastActivityAt: deps.now() },
  });
  const posted = await postTurn(sessionId, { ...lease, cost, ...(run.scene === undefined ? {} : { scene: run.scene }) }, deps.now());
  if (!posted) throw lostLease();
  return { turnId, requestId, reply: run.reply, outcome: run.outcome, provider, costDOFs: cost, estimated, consumedDOFs: consumed, remainingDOFs, replayed: false };
}

function answerRepeat(input: ProcessFrameInput, repeat: Exclude<Awaited<ReturnType<typeof claimRequest>>, { kind: 'new' }>, context: SessionContext): TurnResult {
  if (repeat.kind === 'conflict') {
    throw new AppError('already-exists', 'This requestId was used with another body. Use a new one.', { reason: 'request_conflict' });
  }
  if (repeat.kind === 'running') {
    throw new AppError('aborted', 'This request is still being answered. Ask again later.', { reason: 'request_in_progress', retryAfterMs: Math.min(repeat.retryAfterMs, 1_000) });
  }
  const { turnId, reply, outcome, cost, estimated, provider, consumed, remainingDOFs } = repeat.record;
  return {
    turnId: turnId ?? '',
    requestId: input.requestId,
    reply: reply ?? '',
    outcome: (outcome ?? 'cut') as TurnResult['outcome'],
    provider: provider ?? context.config.provider,
    costDOFs: cost ?? 0,
    estimated: estimated ?? false,
    consumedDOFs: consumed ?? 0,
    remainingDOFs: remainingDOFs ?? 0,
    replayed: true,
  };
}
