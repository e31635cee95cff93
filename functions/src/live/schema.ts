import { z } from 'zod';
import { keptMediaSchema } from '../media/schema.ts';
import { providerNames } from '../providers/types.ts';
import { dofsSchema, idSchema } from '../runtime/schema.ts';
import type { SessionConfig } from '../sessions/schema.ts';

/** contexts/{sessionId}: what a turn needs to know of its session, written once when it opens. Server only. */
export interface SessionContext {
  ownerId: string;
  agentInstanceId: string;
  config: SessionConfig;
  settleEveryDOFs: number;
}

/** What a client may ask for; `highSpeed` is the mode that the rank of the agent has. */
export const visionRequests = ['standard', 'highSpeed', 'detail'] as const;

export const processFrameInput = z.strictObject({
  sessionId: idSchema,
  requestId: idSchema.describe('Idempotency key chosen by the client: repeating it returns the first result and charges nothing.'),
  generation: z.int().positive().optional().describe('As startSession returned it; a client that was superseded is refused.'),
  frameData: z.string().min(1).max(7_000_000).optional().describe('Base64 of one JPEG, PNG or WebP frame.'),
  audioData: z.string().min(1).max(7_000_000).optional().describe('Base64 of WAV, MP3, OGG, FLAC, WebM or M4A audio.'),
  instruction: z.string().trim().min(1).max(20_000).optional().describe('What the player says, as text.'),
  visionMode: z.enum(visionRequests).optional().describe('How closely the frame is looked at; without it as the rank of the agent says.'),
  speak: z.boolean().optional().describe('false: the reply is not spoken, and nothing is charged for speech. Without it, as the modes of the agent say.'),
  queue: z.boolean().default(false).describe('true: while other turns are in progress the call waits for its own, in order of arrival, up to `limits.maxQueueSeconds`. false: it is refused (turn_in_progress).'),
}).refine((input) => input.frameData !== undefined || input.audioData !== undefined || input.instruction !== undefined, {
  message: 'send at least one of frameData, audioData and instruction',
});
/** A request for a turn; `queue` counts as false where it is left out. */
export type ProcessFrameInput = z.input<typeof processFrameInput>;

/** How a turn ended: as the model ended it, cut short by its deadline, the caller or the end of the session, or without a model because the frame had not changed. */
export const turnOutcomes = ['complete', 'length', 'refused', 'cut', 'skipped'] as const;

/** Why a reply was cut: its deadline, a caller who left, the end of the session, the DOFs held for it were used up, a fault of the vendor. */
export const cutReasons = ['deadline', 'caller_gone', 'session_closed', 'dofs_exhausted', 'provider_fault'] as const;
export type CutReason = (typeof cutReasons)[number];

/** What a turn had to do without or in another way. */
export const degradationSchema = z.object({
  what: z.enum(['model', 'speech', 'memory', 'context']).describe('Another model answered; another voice spoke or the reply is text only; nothing was recalled; earlier turns, memory and tools were left out.'),
  from: z.string().optional().describe('provider/model that failed.'),
  to: z.string().optional().describe('provider/model that stepped in.'),
  because: z.string().describe('The `reason` that the error would have had.'),
});

export const processFrameOutput = z.object({
  turnId: idSchema,
  requestId: idSchema,
  reply: z.string(),
  outcome: z.enum(turnOutcomes),
  cutBecause: z.enum(cutReasons).nullable().describe('Why the reply ends early; null when the model ended it.'),
  provider: z.enum(providerNames),
  model: z.string(),
  speech: z.object({
    mimeType: z.enum(['audio/mpeg', 'audio/wav']),
    seconds: z.number().nonnegative(),
    characters: z.int().nonnegative().describe('Characters that were spoken and are charged.'),
    audioData: z.string().nullable().describe('Base64. Null in the answer to a repeated requestId.'),
  }).nullable().describe('The spoken reply; null when nothing was spoken.'),
  keptMedia: z.array(keptMediaSchema).describe('What was kept of the turn, for getMedia. Empty in the answer to a repeated requestId: see listMedia.'),
  degraded: z.array(degradationSchema).describe('What was done in another way than configured, or left out.'),
  costDOFs: dofsSchema,
  estimated: z.boolean().describe('The price is an estimate because the usage of the model is not known.'),
  consumedDOFs: dofsSchema,
  remainingDOFs: dofsSchema,
  replayed: z.boolean().describe('This is the stored first result of a repeated requestId; nothing was charged.'),
  waitedMs: z.int().nonnegative().describe('How long the turn waited for those before it; 0 for a repeated requestId.'),
});

/** Streamed while the reply is produced. */
export const processFrameChunk = z.object({ type: z.literal('chunk'), turnId: idSchema, text: z.string() });
