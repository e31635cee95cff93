import type { ThinkingLevel } from '@google/genai';
import { z } from 'zod';
import { vendorFailure, type VendorFailure } from '../failures.ts';
import type { ModelEvent, ModelOutcome, ModelRequest, ProviderName } from '../types.ts';
import { tokenCount, unreported, usageFrom, type VendorCounts } from '../usage.ts';

/** One part of a prompt in Gemini's wire shape, which the Gemini API and Vertex AI share. */
export type GeminiPart = { text: string } | { inlineData: { mimeType: string; data: string } };

/** The user's turn: media before text, the order Google recommends for a single picture. */
export function geminiParts(request: ModelRequest): GeminiPart[] {
  const parts: GeminiPart[] = [];
  for (const media of [request.frame, request.audio]) {
    if (media) parts.push({ inlineData: { mimeType: media.mime, data: media.bytes.toString('base64') } });
  }
  if (request.instruction) parts.push({ text: request.instruction });
  return parts;
}

/**
 * Bounds of the reply. Thinking is billed as output and taken out of maxOutputTokens, and at its default a Gemini 3
 * model can spend all of a short bound on it and answer nothing; LOW is the least that every Gemini 3 model accepts
 * (https://ai.google.dev/gemini-api/docs/thinking). Older models know no levels and would refuse the field.
 */
export function geminiBounds({ model, maxOutputTokens }: ModelRequest): { maxOutputTokens: number; thinkingConfig?: { thinkingLevel: ThinkingLevel.LOW } } {
  const generation = Number(/(?:^|\/)gemini-(\d+)/.exec(model)?.[1] ?? 0);
  // The enum is only a type here: its value would load the whole SDK.
  return generation >= 3 ? { maxOutputTokens, thinkingConfig: { thinkingLevel: 'LOW' as ThinkingLevel.LOW } } : { maxOutputTokens };
}

const count = z.unknown().transform(tokenCount);
const modalityCounts = z.array(z.object({ modality: z.string(), tokenCount: count })).optional().catch(undefined);

/** One streamed chunk. Everything is optional and a field of the wrong type counts as absent: the vendor may change. */
const chunkSchema = z.object({
  candidates: z.array(z.object({
    finishReason: z.string().optional().catch(undefined),
    content: z.object({
      parts: z.array(z.object({ text: z.string().optional().catch(undefined), thought: z.boolean().optional().catch(undefined) })).optional().catch(undefined),
    }).optional().catch(undefined),
  })).optional().catch(undefined),
  promptFeedback: z.object({ blockReason: z.string().optional().catch(undefined) }).optional().catch(undefined),
  usageMetadata: z.object({
    promptTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
    cachedContentTokenCount: count,
    promptTokensDetails: modalityCounts,
  }).optional().catch(undefined),
  error: z.object({ code: z.number().optional().catch(undefined) }).optional().catch(undefined),
});

/** What one chunk adds to the reply. */
export interface GeminiChunk {
  text: string;
  outcome?: ModelOutcome | undefined;
  /** The model stopped for a reason that is neither an answer nor a refusal (broken tool call, unknown). */
  failed: boolean;
  counts?: VendorCounts | undefined;
  /** HTTP-like code of an error sent inside a stream that began with 200. */
  errorStatus?: number | undefined;
}

// https://ai.google.dev/api/generate-content#FinishReason
const outcomes: Record<string, ModelOutcome> = {
  STOP: 'complete',
  MAX_TOKENS: 'length',
  SAFETY: 'refused',
  RECITATION: 'refused',
  LANGUAGE: 'refused',
  BLOCKLIST: 'refused',
  PROHIBITED_CONTENT: 'refused',
  SPII: 'refused',
  IMAGE_SAFETY: 'refused',
  IMAGE_PROHIBITED_CONTENT: 'refused',
  IMAGE_RECITATION: 'refused',
};

/** Reads one chunk; anything that is not one counts as an error inside the stream. */
export function readGeminiChunk(value: unknown): GeminiChunk {
  const parsed = chunkSchema.safeParse(value);
  if (!parsed.success) return { text: '', failed: true };
  const { candidates, promptFeedback, usageMetadata, error } = parsed.data;
  const candidate = candidates?.[0];
  // Thoughts are the model's notes to itself: billed as reasoning, never shown.
  const text = (candidate?.content?.parts ?? []).map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
  const reason = candidate?.finishReason;
  const outcome = promptFeedback?.blockReason ? 'refused' : reason ? outcomes[reason] : undefined;
  return {
    text,
    outcome,
    failed: error !== undefined || (reason !== undefined && outcome === undefined),
    counts: usageMetadata && readCounts(usageMetadata),
    errorStatus: error?.code,
  };
}

type UsageMetadata = NonNullable<z.infer<typeof chunkSchema>['usageMetadata']>;

function readCounts(usage: UsageMetadata): VendorCounts {
  const details = usage.promptTokensDetails;
  const of = (modality: string) => details?.reduce((sum, detail) => sum + (detail.modality === modality ? (detail.tokenCount ?? 0) : 0), 0);
  return {
    input: usage.promptTokenCount ?? details?.reduce((sum, detail) => sum + (detail.tokenCount ?? 0), 0),
    image: of('IMAGE'),
    audio: of('AUDIO'),
    cached: usage.cachedContentTokenCount,
    output: usage.candidatesTokenCount,
    reasoning: usage.thoughtsTokenCount,
  };
}

/**
 * Events of a stream of chunks. Usage is cumulative and the last one counts. Ends without `done` when no chunk
 * carried a finish: the vendor broke off.
 */
export async function* readGemini(provider: ProviderName, request: ModelRequest, chunks: AsyncIterable<unknown>): AsyncGenerator<ModelEvent, void> {
  let reply = '';
  let outcome: ModelOutcome | undefined;
  let counts: VendorCounts = {};
  for await (const value of chunks) {
    const chunk = readGeminiChunk(value);
    if (chunk.failed) throw vendorFailure(provider, request, { status: chunk.errorStatus });
    if (chunk.text) {
      reply += chunk.text;
      yield { type: 'text', text: chunk.text };
    }
    outcome = chunk.outcome ?? outcome;
    counts = chunk.counts ?? counts;
  }
  // A refused prompt has no candidates, so no output count: that is zero, not unknown.
  if (outcome) yield { type: 'done', outcome, usage: usageFrom(counts, request, reply), ...unreported(counts) };
}

/**
 * What an error of either Google SDK says: its HTTP status, and whether its text blames the key (which the Gemini
 * API answers with 400) or the media. The text itself goes no further.
 */
export function googleFailure(error: unknown): VendorFailure {
  if (!(error instanceof Error)) return {};
  const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  return {
    status,
    badKey: /API_KEY_INVALID|API key not valid|API key expired|default credentials/i.test(error.message),
    badMedia: /image|audio|media|mime|inline_?data/i.test(error.message),
  };
}
