import calls from '../../src/providers/fixtures/gemini-calls.json' with { type: 'json' };
import errors from '../../src/providers/fixtures/gemini-errors.json' with { type: 'json' };
import ok from '../../src/providers/fixtures/gemini-ok.json' with { type: 'json' };
import refusals from '../../src/providers/fixtures/gemini-refusals.json' with { type: 'json' };
import whole from '../../src/providers/fixtures/gemini-whole.json' with { type: 'json' };
import { googleError } from './answers.ts';
import { endlessText, jsonScript, streamScript, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** Gemini's chat on the paths of the Gemini API and of Vertex AI, streaming and not. */
export const geminiRoutes: Route[] = [
  { method: 'POST', path: /^\/v1(beta|alpha|beta1)?\/(.+\/)?models\/[^/]+:streamGenerateContent$/, script: streamed },
  { method: 'POST', path: /^\/v1(beta|alpha|beta1)?\/(.+\/)?models\/[^/]+:generateContent$/, script: answered },
];

function streamed(mode: VendorMode, leak: string, request: VendorRequest): Script {
  switch (mode) {
    case 'refusal':
      return streamScript(mode, [refusals.prompt]);
    case 'wrong-counts':
      return streamScript(mode, [...ok.slice(0, -1), { ...ok.at(-1), usageMetadata: wrongCounts }]);
    case 'tools':
      return streamScript(mode, hasResults(request) ? ok : calls);
    case 'error-inside':
      return { kind: 'stream', data: [JSON.stringify(ok[0]), JSON.stringify({ error: { ...errors.busy.error, message: leak } })], then: 'end' };
    case 'oversized':
      return endlessText((text) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }] }));
    default:
      return googleError(mode, leak) ?? streamScript(mode, ok);
  }
}

function answered(mode: VendorMode, leak: string, request: VendorRequest): Script {
  switch (mode) {
    case 'refusal':
      return jsonScript(mode, refusals.prompt);
    case 'wrong-counts':
      return jsonScript(mode, { ...whole.ok, usageMetadata: wrongCounts });
    case 'tools':
      return jsonScript(mode, hasResults(request) ? whole.ok : whole.calls);
    case 'error-inside':
      return { kind: 'json', status: 200, body: { error: { ...errors.busy.error, message: leak } } };
    default:
      return googleError(mode, leak) ?? jsonScript(mode, whole.ok);
  }
}

function hasResults({ body }: VendorRequest): boolean {
  return JSON.stringify(body).includes('"functionResponse":');
}

/** Counts no model could have: not a number, negative, and beyond every limit. */
const wrongCounts = { promptTokenCount: 'many', candidatesTokenCount: 9e15, thoughtsTokenCount: -5, cachedContentTokenCount: null, promptTokensDetails: 'none' };
