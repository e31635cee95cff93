import errors from '../../src/providers/fixtures/gemini-errors.json' with { type: 'json' };
import ok from '../../src/providers/fixtures/gemini-ok.json' with { type: 'json' };
import refusals from '../../src/providers/fixtures/gemini-refusals.json' with { type: 'json' };
import { streamScript, type Script, type VendorMode } from './script.ts';

/** Paths of the Gemini API and of Vertex AI that stream a reply. */
export const geminiPath = /^\/v1(beta|alpha|beta1)?\/(.+\/)?models\/[^/]+:streamGenerateContent$/;

/**
 * What Gemini's REST/SSE wire answers.
 *
 * @param leak Text mixed into every error message, as if the vendor repeated the key and the prompt.
 */
export function geminiScript(mode: VendorMode, leak: string): Script {
  if (mode === 'refusal') return streamScript(mode, [refusals.prompt]);
  if (mode === 'wrong-counts') return streamScript(mode, wrongCounts());
  if (mode === 'error-inside') {
    const { error } = errors.busy;
    return { kind: 'stream', data: [JSON.stringify(ok[0]), JSON.stringify({ error: { ...error, message: leak } })], then: 'end' };
  }
  if (!(mode in errors)) return streamScript(mode as 'ok', ok);
  const { error } = errors[mode as keyof typeof errors];
  return { kind: 'json', status: error.code, body: { error: { ...error, message: `${error.message} ${leak}` } } };
}

/** Counts no model could have: not a number, negative, and beyond every limit. */
function wrongCounts(): unknown[] {
  const [first, second, third] = ok;
  const usageMetadata = { promptTokenCount: 'many', candidatesTokenCount: 9e15, thoughtsTokenCount: -5, cachedContentTokenCount: null, promptTokensDetails: 'none' };
  return [first, second, { ...third, usageMetadata }];
}
