import { z } from 'zod';
import { ending, mostCalls, toolCall, type GivenCall } from '../conversation.ts';
import { withoutNames, type VendorFailure } from '../failures.ts';
import type { ModelEvent, ModelOutcome, ModelRequest } from '../types.ts';
import { tokenCount, type VendorCounts } from '../usage.ts';

const count = z.unknown().optional().transform(tokenCount);
const text = z.string().nullish().catch(undefined);

/** What a chunk adds to the message, or the whole message. */
const messageSchema = z.object({
  content: text,
  refusal: text,
  tool_calls: z.array(z.object({
    index: z.number().optional().catch(undefined),
    id: text,
    function: z.object({ name: text, arguments: text }).optional().catch(undefined),
  })).nullish().catch(undefined),
}).optional().catch(undefined);

/** One streamed chunk, or a whole completion; a field of the wrong type counts as absent. */
const chunkSchema = z.object({
  choices: z.array(z.object({ delta: messageSchema, message: messageSchema, finish_reason: text })).optional().catch(undefined),
  usage: z.object({
    prompt_tokens: count,
    completion_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count, audio_tokens: count }).nullish().catch(undefined),
    completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
  }).nullish().catch(undefined),
});

type ChunkUsage = NonNullable<z.infer<typeof chunkSchema>['usage']>;
type ChunkCalls = NonNullable<z.infer<typeof messageSchema>>['tool_calls'];

/** OpenAI counts reasoning within completion_tokens and does not count pictures apart from text. */
function readCounts(usage: ChunkUsage): VendorCounts {
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    input: usage.prompt_tokens,
    audio: usage.prompt_tokens_details?.audio_tokens,
    cached: usage.prompt_tokens_details?.cached_tokens,
    output: usage.completion_tokens === undefined ? undefined : Math.max(0, usage.completion_tokens - reasoning),
    reasoning,
  };
}

const outcomes: Record<string, ModelOutcome> = { stop: 'complete', tool_calls: 'complete', length: 'length', content_filter: 'refused' };

/** Events of a stream of chunks, or of a whole completion. Ends without `done` when nothing carried a finish: the vendor broke off. */
export async function* readOpenai(request: ModelRequest, chunks: AsyncIterable<unknown>): AsyncGenerator<ModelEvent, void> {
  let reply = '';
  let finish = '';
  let refused = false;
  let counts: VendorCounts = {};
  const calls = new Map<number, WrittenCall>();
  for await (const value of chunks) {
    const parsed = chunkSchema.safeParse(value);
    if (!parsed.success) return;
    const choice = parsed.data.choices?.[0];
    const message = choice?.delta ?? choice?.message;
    const piece = message?.content || message?.refusal;
    refused ||= Boolean(message?.refusal);
    if (piece) {
      reply += piece;
      yield { type: 'text', text: piece };
    }
    addCalls(calls, message?.tool_calls);
    finish = choice?.finish_reason ?? finish;
    // The chunk with the usage comes after the finish and has no choices.
    if (parsed.data.usage) counts = readCounts(parsed.data.usage);
  }
  const outcome = refused && outcomes[finish] ? 'refused' : outcomes[finish];
  // A model that stopped to call nothing has not answered.
  if (!outcome || (finish === 'tool_calls' && calls.size === 0)) return;
  yield* ending(request, { text: reply, calls: [...calls.values()].map((call, index) => toolCall(givenCall(call), index)), outcome, counts });
}

/** A call as far as it has been written. */
interface WrittenCall {
  id: string;
  name: string;
  written: string;
}

/** Streams bring the id and the name of a call first and its arguments in pieces, by index. */
function addCalls(calls: Map<number, WrittenCall>, pieces: ChunkCalls): void {
  for (const [position, { index = position, id, function: piece }] of (pieces ?? []).entries()) {
    const call = calls.get(index) ?? { id: '', name: '', written: '' };
    if (!calls.has(index) && calls.size === mostCalls) continue;
    calls.set(index, { id: call.id || (id ?? ''), name: call.name || (piece?.name ?? ''), written: call.written + (piece?.arguments ?? '') });
  }
}

/** Arguments that are no JSON stay as they were written: whoever carries the call out refuses them. */
function givenCall({ id, name, written }: WrittenCall): GivenCall {
  try {
    return { id, name, args: JSON.parse(written || '{}') };
  } catch {
    return { id, name, args: written };
  }
}

/** Codes of a 429 that no waiting ends (https://platform.openai.com/docs/guides/error-codes). */
const outOfCredit = /^(insufficient_quota|credit_balance_exhausted|(organization|project)_(spend|usage)_limit_exceeded)$/;

/** What an error of the OpenAI SDK says: its HTTP status, and whether it blames the key, the model, the media or the account. */
export function openaiFailure(error: unknown): VendorFailure {
  if (!(error instanceof Error)) return {};
  const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const type = 'type' in error && typeof error.type === 'string' ? error.type : '';
  return {
    // An error inside a stream that began with 200 has a code and no status.
    status: status ?? (code === 'rate_limit_exceeded' ? 429 : undefined),
    badKey: code === 'invalid_api_key',
    badMedia: /image|audio|media/i.test(`${code} ${withoutNames(error.message)}`),
    unknownModel: code === 'model_not_found',
    outOfCredit: outOfCredit.test(code) || outOfCredit.test(type),
  };
}
