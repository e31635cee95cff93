import type OpenAI from 'openai';
import { z } from 'zod';
import { badMedia, type VendorFailure } from '../failures.ts';
import type { ModelEvent, ModelOutcome, ModelRequest } from '../types.ts';
import { tokenCount, unreported, usageFrom, type VendorCounts } from '../usage.ts';

type Body = OpenAI.ChatCompletionCreateParamsStreaming;
type UserPart = OpenAI.ChatCompletionContentPart;

/** Sound that OpenAI's `input_audio` takes, by our type. */
const audioFormats: Record<string, 'wav' | 'mp3'> = { 'audio/wav': 'wav', 'audio/mpeg': 'mp3' };

/**
 * The request in the shape of Chat Completions, which takes pictures and sound in one message.
 *
 * @throws AppError invalid-argument (bad_media) for sound with a model that does not listen, or in another format.
 */
export function openaiBody(request: ModelRequest): Body {
  const content: UserPart[] = [];
  const { frame, audio } = request;
  if (frame) content.push({ type: 'image_url', image_url: { url: `data:${frame.mime};base64,${frame.bytes.toString('base64')}` } });
  if (audio) {
    // Only OpenAI's audio models take sound in Chat Completions, and all of them carry it in their name.
    if (!request.model.includes('audio')) throw badMedia(`The openai model "${request.model}" does not take sound. Send text or a picture.`);
    const format = audioFormats[audio.mime];
    if (!format) throw badMedia('The openai provider takes sound as WAV or MP3 only.');
    content.push({ type: 'input_audio', input_audio: { data: audio.bytes.toString('base64'), format } });
  }
  if (request.instruction) content.push({ type: 'text', text: request.instruction });
  return {
    model: request.model,
    messages: [
      ...(request.systemPrompt ? [{ role: 'system' as const, content: request.systemPrompt }] : []),
      { role: 'user', content },
    ],
    // Reasoning included, so this bounds everything that is billed as output.
    max_completion_tokens: request.maxOutputTokens,
    stream: true,
    stream_options: { include_usage: true },
    store: false,
  };
}

const count = z.unknown().transform(tokenCount);
const text = z.string().nullish().catch(undefined);

/** One streamed chunk; a field of the wrong type counts as absent. */
const chunkSchema = z.object({
  choices: z.array(z.object({
    delta: z.object({ content: text, refusal: text }).optional().catch(undefined),
    finish_reason: text,
  })).optional().catch(undefined),
  usage: z.object({
    prompt_tokens: count,
    completion_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count, audio_tokens: count }).nullish().catch(undefined),
    completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
  }).nullish().catch(undefined),
});

type ChunkUsage = NonNullable<z.infer<typeof chunkSchema>['usage']>;

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

// Function calls are never offered, so `tool_calls` cannot be an answer to us and counts as breaking off.
const outcomes: Record<string, ModelOutcome> = { stop: 'complete', length: 'length', content_filter: 'refused' };

/** Events of a stream of chunks. Ends without `done` when no chunk carried a finish: the vendor broke off. */
export async function* readOpenai(request: ModelRequest, chunks: AsyncIterable<unknown>): AsyncGenerator<ModelEvent, void> {
  let reply = '';
  let outcome: ModelOutcome | undefined;
  let refused = false;
  let counts: VendorCounts = {};
  for await (const value of chunks) {
    const parsed = chunkSchema.safeParse(value);
    if (!parsed.success) return;
    const choice = parsed.data.choices?.[0];
    const piece = choice?.delta?.content ?? choice?.delta?.refusal;
    refused ||= Boolean(choice?.delta?.refusal);
    if (piece) {
      reply += piece;
      yield { type: 'text', text: piece };
    }
    if (choice?.finish_reason) outcome = outcomes[choice.finish_reason];
    // The chunk with the usage comes after the finish and has no choices.
    if (parsed.data.usage) counts = readCounts(parsed.data.usage);
  }
  if (outcome) yield { type: 'done', outcome: refused ? 'refused' : outcome, usage: usageFrom(counts, request, reply), ...unreported(counts) };
}

/** What an error of the OpenAI SDK says: its HTTP status, and whether it blames the key or the media. */
export function openaiFailure(error: unknown): VendorFailure {
  if (!(error instanceof Error)) return {};
  const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return {
    // An error inside a stream that began with 200 has a code and no status.
    status: status ?? (code === 'rate_limit_exceeded' ? 429 : undefined),
    badKey: code === 'invalid_api_key',
    badMedia: /image|audio|media/i.test(`${code} ${error.message}`),
  };
}
