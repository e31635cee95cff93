import errors from '../../src/providers/fixtures/openai-errors.json' with { type: 'json' };
import ok from '../../src/providers/fixtures/openai-ok.json' with { type: 'json' };
import refusal from '../../src/providers/fixtures/openai-refusal.json' with { type: 'json' };
import { streamScript, type Script, type VendorMode } from './script.ts';

/** Path of OpenAI's Chat Completions. */
export const openaiPath = /^\/v1\/chat\/completions$/;

const last = ['[DONE]'];

/**
 * What OpenAI's Chat Completions wire answers.
 *
 * @param leak Text mixed into every error message, as if the vendor repeated the key and the prompt.
 */
export function openaiScript(mode: VendorMode, leak: string): Script {
  if (mode === 'refusal') return streamScript(mode, refusal, last);
  if (mode === 'wrong-counts') {
    const usage = { prompt_tokens: 'many', completion_tokens: 9e15, prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: -5 } };
    return streamScript(mode, [...ok.slice(0, -1), { ...ok.at(-1), usage }], last);
  }
  if (mode === 'error-inside') {
    const { error } = errors.busy;
    return { kind: 'stream', data: [JSON.stringify(ok[1]), JSON.stringify({ error: { ...error, message: leak } })], then: 'end' };
  }
  if (!(mode in errors)) return streamScript(mode as 'ok', ok, last);
  const { status, error } = errors[mode as keyof typeof errors];
  return { kind: 'json', status, body: { error: { ...error, message: `${error.message} ${leak}` } } };
}
