import googleErrors from '../../src/providers/fixtures/gemini-errors.json' with { type: 'json' };
import openaiErrors from '../../src/providers/fixtures/openai-errors.json' with { type: 'json' };
import type { Script, VendorMode } from './script.ts';

/** How Google answers a call without streaming in the modes that are HTTP errors; undefined in the others. */
export function googleError(mode: VendorMode, leak: string): Script | undefined {
  if (!(mode in googleErrors)) return undefined;
  const { error } = googleErrors[mode as keyof typeof googleErrors];
  return { kind: 'json', status: error.code, body: { error: { ...error, message: `${error.message} ${leak}` } }, ...(mode === 'busy' && { headers: { 'retry-after': '17' } }) };
}

/** How OpenAI answers a call without streaming in the modes that are HTTP errors; undefined in the others. */
export function openaiError(mode: VendorMode, leak: string): Script | undefined {
  if (!(mode in openaiErrors)) return undefined;
  const { status, error } = openaiErrors[mode as keyof typeof openaiErrors];
  return { kind: 'json', status, body: { error: { ...error, message: `${error.message} ${leak}` } }, ...(mode === 'busy' && { headers: { 'retry-after': '17' } }) };
}
