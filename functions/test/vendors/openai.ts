import calls from '../../src/providers/fixtures/openai-calls.json' with { type: 'json' };
import errors from '../../src/providers/fixtures/openai-errors.json' with { type: 'json' };
import ok from '../../src/providers/fixtures/openai-ok.json' with { type: 'json' };
import refusal from '../../src/providers/fixtures/openai-refusal.json' with { type: 'json' };
import whole from '../../src/providers/fixtures/openai-whole.json' with { type: 'json' };
import { openaiError } from './answers.ts';
import { endlessText, jsonScript, streamScript, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** OpenAI's Chat Completions, streaming and not. */
export const openaiRoutes: Route[] = [
  { method: 'POST', path: /^\/v1\/chat\/completions$/, script: (mode, leak, request) => (isStreamed(request) ? streamed : answered)(mode, leak, request) },
];

const last = ['[DONE]'];

function streamed(mode: VendorMode, leak: string, request: VendorRequest): Script {
  switch (mode) {
    case 'refusal':
      return streamScript(mode, refusal, last);
    case 'wrong-counts':
      return streamScript(mode, [...ok.slice(0, -1), { ...ok.at(-1), usage: wrongCounts }], last);
    case 'tools':
      return streamScript(mode, hasResults(request) ? ok : calls, last);
    case 'error-inside':
      return { kind: 'stream', data: [JSON.stringify(ok[1]), JSON.stringify({ error: { ...errors.busy.error, message: leak } })], then: 'end' };
    case 'oversized':
      return endlessText((content) => ({ ...ok[1], choices: [{ index: 0, delta: { content }, finish_reason: null }] }));
    default:
      return openaiError(mode, leak) ?? streamScript(mode, ok, last);
  }
}

function answered(mode: VendorMode, leak: string, request: VendorRequest): Script {
  switch (mode) {
    case 'refusal':
      return jsonScript(mode, whole.refusal);
    case 'wrong-counts':
      return jsonScript(mode, { ...whole.ok, usage: wrongCounts });
    case 'tools':
      return jsonScript(mode, hasResults(request) ? whole.ok : whole.calls);
    case 'error-inside':
      return { kind: 'json', status: 200, body: { error: { ...errors.busy.error, message: leak } } };
    default:
      return openaiError(mode, leak) ?? jsonScript(mode, whole.ok);
  }
}

function isStreamed({ body }: VendorRequest): boolean {
  return (body as { stream?: boolean } | null)?.stream === true;
}

function hasResults({ body }: VendorRequest): boolean {
  return JSON.stringify(body).includes('"role":"tool"');
}

/** Counts no model could have: not a number, negative, and beyond every limit. */
const wrongCounts = { prompt_tokens: 'many', completion_tokens: 9e15, prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: -5 } };
