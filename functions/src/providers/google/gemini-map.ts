import { z } from 'zod';
import { ending, mostCalls, toolCall, type GivenCall } from '../conversation.ts';
import { vendorFailure, withoutNames, type VendorFailure } from '../failures.ts';
import type { ModelEvent, ModelOutcome, ModelRequest, ProviderName } from '../types.ts';
import { tokenCount, type VendorCounts } from '../usage.ts';
import { signed } from './gemini-request.ts';

const count = z.unknown().optional().transform(tokenCount);
const modalityCounts = z.array(z.object({ modality: z.string(), tokenCount: count })).optional().catch(undefined);

const text = z.string().optional().catch(undefined);

const partSchema = z.object({
  text,
  thought: z.boolean().optional().catch(undefined),
  functionCall: z.object({ id: text, name: text, args: z.unknown().optional() }).optional().catch(undefined),
  thoughtSignature: text,
});

/** One streamed chunk, or a whole reply. Everything is optional and a field of the wrong type counts as absent: the vendor may change. */
const chunkSchema = z.object({
  candidates: z.array(z.object({
    finishReason: text,
    content: z.object({ parts: z.array(partSchema).optional().catch(undefined) }).optional().catch(undefined),
  })).optional().catch(undefined),
  promptFeedback: z.object({ blockReason: text }).optional().catch(undefined),
  usageMetadata: z.object({
    promptTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
    cachedContentTokenCount: count,
    toolUsePromptTokenCount: count,
    promptTokensDetails: modalityCounts,
  }).optional().catch(undefined),
  error: z.object({ code: z.number().optional().catch(undefined) }).optional().catch(undefined),
});

/** What one chunk adds to the reply. */
export interface GeminiChunk {
  text: string;
  calls: GivenCall[];
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
  if (!parsed.success) return { text: '', calls: [], failed: true };
  const { candidates, promptFeedback, usageMetadata, error } = parsed.data;
  const candidate = candidates?.[0];
  // Thoughts are the model's notes to itself: billed as reasoning, never shown.
  const parts = (candidate?.content?.parts ?? []).filter(({ thought }) => !thought);
  const reason = candidate?.finishReason;
  const outcome = promptFeedback?.blockReason ? 'refused' : reason ? outcomes[reason] : undefined;
  return {
    text: parts.map((part) => part.text ?? '').join(''),
    calls: parts.flatMap(({ functionCall, thoughtSignature }) => (functionCall ? [{ ...functionCall, args: functionCall.args ?? {}, signature: thoughtSignature }] : [])),
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
  const prompt = usage.promptTokenCount ?? details?.reduce((sum, detail) => sum + (detail.tokenCount ?? 0), 0);
  return {
    // What the vendor's own tools gave the model to read is counted beside the prompt and billed like it.
    input: prompt === undefined ? usage.toolUsePromptTokenCount : tokenCount(prompt + (usage.toolUsePromptTokenCount ?? 0)),
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
  let text = '';
  let outcome: ModelOutcome | undefined;
  let counts: VendorCounts = {};
  const calls: GivenCall[] = [];
  for await (const value of chunks) {
    const chunk = readGeminiChunk(value);
    if (chunk.failed) throw vendorFailure(provider, request, { status: chunk.errorStatus });
    if (chunk.text) {
      text += chunk.text;
      yield { type: 'text', text: chunk.text };
    }
    calls.push(...chunk.calls.slice(0, mostCalls - calls.length));
    outcome = chunk.outcome ?? outcome;
    counts = chunk.counts ?? counts;
  }
  // A refused prompt has no candidates, so no output count: that is zero, not unknown.
  if (outcome) yield* ending(request, { text, calls: calls.map((call, index) => toolCall(signed(call, provider, request), index)), outcome, counts });
}

/**
 * What an error of either Google SDK says: its HTTP status, and whether its text, which is the vendor's JSON, blames the key
 * (which the Gemini API answers with 400), the model or the media, or says when to try again
 * (https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto). The text itself goes no further.
 */
export function googleFailure(error: unknown): VendorFailure {
  if (!(error instanceof Error)) return {};
  const { message } = error;
  const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  const retryDelay = /"retryDelay":\s*"(\d{1,9}(?:\.\d{1,9})?)s"/.exec(message)?.[1];
  return {
    status,
    badKey: /API_KEY_INVALID|API key not valid|API key expired|default credentials/i.test(message),
    badMedia: /image|audio|media|mime|inline_?data/i.test(withoutNames(message)),
    unknownModel: status === 400 && /is not found for API version/i.test(message),
    ...(retryDelay === undefined ? {} : { retryAfterMs: Number(retryDelay) * 1_000 }),
  };
}
