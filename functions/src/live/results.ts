import type { z } from 'zod';
import type { Degradation, Exchange, Speech } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import type { Answer } from './ask.ts';
import { cutToWeight, maxExchangeCharacters } from './bounds.ts';
import { isWhole } from './endings.ts';
import type { Repeat, RequestRecord } from './requests.ts';
import type { PreparedTurn } from './prepare.ts';
import type { CutReason, processFrameOutput, SessionContext } from './schema.ts';

/** The answer of processFrame. */
export type TurnResult = z.input<typeof processFrameOutput>;

type SpeechResult = NonNullable<TurnResult['speech']>;

/** What is known of a turn beside its answer when its request is closed. */
export interface Closing {
  turnId: string;
  prepared: PreparedTurn;
  /** DOFs of the session after the turn. */
  consumed: number;
  remainingDOFs: number;
  /** ms since the epoch. */
  now: number;
}

/** The closed record of a turn that was answered: what a repeat gets, a receipt shows and later turns know of it. */
export function closedRecord(answer: Answer, { turnId, prepared, consumed, remainingDOFs, now }: Closing): RequestRecord {
  const { outcome, cutBecause, priced: { cost, estimated }, provider, model, usage, speech, degradations } = answer;
  // A reply that was cut may end with half of a character, which no database and no model takes.
  const reply = answer.reply.toWellFormed();
  return {
    hash: prepared.hash, state: 'done', expiresAt: now, turnId, cost, estimated, outcome, reply, consumed, remainingDOFs, input: JSON.stringify(prepared.about), model, usage: JSON.stringify({ ...usage, ...(speech ? { spokenCharacters: speech.characters } : {}) }),
    ...(provider ? { provider } : {}),
    ...(cutBecause ? { cutBecause } : {}),
    ...(speech ? { speech: JSON.stringify(describe(speech)) } : {}),
    ...(degradations.length > 0 ? { degraded: JSON.stringify(degradations) } : {}),
    ...(prepared.conversation ? { said: prepared.model.instruction ?? '[sound]', saidAt: now } : {}),
  };
}

/** An earlier turn as a model is told of it, shortened; none for a record that is not part of a conversation, or whose reply was cut or refused. */
export function toExchange({ said, reply, outcome }: RequestRecord): Exchange[] {
  if (said === undefined || !reply || !isWhole({ outcome: outcome as Answer['outcome'] })) return [];
  return [{ instruction: cutToWeight(said, maxExchangeCharacters), reply: cutToWeight(reply, maxExchangeCharacters) }];
}

function describe({ mime, seconds, characters }: Speech): Omit<SpeechResult, 'audioData'> {
  return { mimeType: mime, seconds: Math.round(seconds * 100) / 100, characters };
}

/** What a closed record answers; `speech` is the sound and `waitedMs` how long the turn waited, which are not part of it, and neither is what was kept. */
export function resultOf(requestId: string, record: RequestRecord, context: SessionContext, { speech, keptMedia, replayed, waitedMs = 0 }: Pick<TurnResult, 'keptMedia' | 'replayed'> & { speech: Speech | null; waitedMs?: number }): TurnResult {
  const { turnId, reply, outcome, cutBecause, cost, estimated, provider, model, consumed, remainingDOFs } = record;
  const spoken = record.speech === undefined ? null : JSON.parse(record.speech) as Omit<SpeechResult, 'audioData'>;
  return {
    turnId,
    requestId,
    reply: reply ?? '',
    outcome: (outcome ?? 'cut') as TurnResult['outcome'],
    cutBecause: (cutBecause ?? null) as CutReason | null,
    provider: provider ?? context.config.provider,
    model,
    speech: spoken && { ...spoken, audioData: speech?.bytes.toString('base64') ?? null },
    keptMedia,
    degraded: JSON.parse(record.degraded ?? '[]') as Degradation[],
    costDOFs: cost ?? 0,
    estimated: estimated ?? false,
    consumedDOFs: consumed ?? 0,
    remainingDOFs: remainingDOFs ?? 0,
    replayed,
    waitedMs,
  };
}

/**
 * The answer to a request id that came before.
 * @throws AppError `already-exists` (request_conflict), `aborted` (request_in_progress).
 */
export function answerRepeat(requestId: string, repeat: Exclude<Repeat, { kind: 'new' }>, context: SessionContext): TurnResult {
  if (repeat.kind === 'conflict') {
    throw new AppError('already-exists', 'This requestId was used with another body. Use a new one.', { reason: 'request_conflict' });
  }
  if (repeat.kind === 'running') {
    throw new AppError('aborted', 'This request is still being answered. Ask again later.', { reason: 'request_in_progress', retryAfterMs: Math.min(repeat.retryAfterMs, 1_000) });
  }
  return resultOf(requestId, repeat.record, context, { speech: null, keptMedia: [], replayed: true });
}
