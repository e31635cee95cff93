import type OpenAI from 'openai';
import { earlier } from '../conversation.ts';
import { badMedia } from '../failures.ts';
import type { ModelRequest, ToolCall, ToolRound } from '../types.ts';

type Body = Omit<OpenAI.ChatCompletionCreateParams, 'stream' | 'stream_options'>;
type Message = OpenAI.ChatCompletionMessageParam;

/** Sound that OpenAI's `input_audio` takes, by our type. */
const audioFormats: Record<string, 'wav' | 'mp3'> = { 'audio/wav': 'wav', 'audio/mpeg': 'mp3' };

/**
 * The request in the shape of Chat Completions, without what says whether it streams.
 *
 * @throws AppError invalid-argument (bad_media) for sound with a model that does not listen, or in another format.
 */
export function openaiBody(request: ModelRequest): Body {
  const { model, systemPrompt, tools = [] } = request;
  return {
    model,
    messages: [
      ...(systemPrompt ? [{ role: 'system' as const, content: systemPrompt }] : []),
      ...earlier(request.history).flatMap((turn): Message[] => [{ role: 'user', content: turn.user }, { role: 'assistant', content: turn.model }]),
      { role: 'user', content: userParts(request) },
      ...(request.rounds ?? []).flatMap(roundMessages),
    ],
    // Without functions there must be no tool_choice either; their calls and results may be in the messages all the same.
    ...(tools.length > 0 && { tools: tools.map(({ name, description, parameters }) => ({ type: 'function' as const, function: { name, description, parameters } })) }),
    // Reasoning included, so this bounds everything that is billed as output.
    max_completion_tokens: request.maxOutputTokens,
    ...effortOf(request),
    store: false,
  };
}

/** The user's turn: pictures and sound in one message with the text. */
function userParts({ model, frame, audio, instruction }: ModelRequest): OpenAI.ChatCompletionContentPart[] {
  const content: OpenAI.ChatCompletionContentPart[] = [];
  if (frame) content.push({ type: 'image_url', image_url: { url: `data:${frame.mime};base64,${frame.bytes.toString('base64')}` } });
  if (audio) {
    // Only OpenAI's audio models take sound in Chat Completions, and all of them carry it in their name.
    if (!model.includes('audio')) throw badMedia(`The openai model "${model}" does not take sound. Send text or a picture.`);
    const format = audioFormats[audio.mime];
    if (!format) throw badMedia('The openai provider takes sound as WAV or MP3 only.');
    content.push({ type: 'input_audio', input_audio: { data: audio.bytes.toString('base64'), format } });
  }
  if (instruction) content.push({ type: 'text', text: instruction });
  return content;
}

/** What the model asked for and what it got (https://platform.openai.com/docs/guides/function-calling). */
function roundMessages({ text, calls, results }: ToolRound): Message[] {
  return [
    { role: 'assistant', content: text || null, tool_calls: calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: argumentsOf(call) } })) },
    ...calls.map(({ id }, index): Message => ({ role: 'tool', tool_call_id: id, content: JSON.stringify(results[index] ?? {}) })),
  ];
}

/** What could not be read is given back as it was written. */
function argumentsOf({ args }: ToolCall): string {
  return typeof args === 'string' ? args : JSON.stringify(args ?? {});
}

/**
 * Little reasoning, where a model reasons: it is taken out of max_completion_tokens, and at its default a model can spend
 * all of a short bound on it and answer nothing (https://platform.openai.com/docs/guides/reasoning). From GPT-5.1 on
 * `none` can be asked for, and later models take functions in Chat Completions with that alone
 * (https://github.com/openai/openai-openapi/issues/541).
 */
function effortOf({ model, tools = [], rounds = [] }: ModelRequest): { reasoning_effort?: 'low' | 'none' } {
  const [, major = '0', minor = '0'] = /^gpt-(\d+)(?:\.(\d+))?/.exec(model) ?? [];
  const generation = Number(major) + Number(minor) / 100;
  const reasons = /^o\d/.test(model) || (generation >= 5 && !/chat|audio|realtime/.test(model));
  if (!reasons) return {};
  return { reasoning_effort: generation > 5 && tools.length + rounds.length > 0 ? 'none' : 'low' };
}
