import { googleError, openaiError } from './answers.ts';
import { jsonScript, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** What the vendors hand out. */
export const geminiToken = 'auth_tokens/0f2c5d1e8b7a4c3d';
export const openaiToken = 'ek_68af296e8e408191a1120ab6383263c2';
/** When OpenAI's secret expires, seconds since the epoch. */
export const openaiTokenExpiresAt = 1_900_000_000;

/** Auth tokens of the Gemini Live API and client secrets of OpenAI's Realtime API. With `wrong-counts` there is no token, with `error-inside` it is the platform's key. */
export const tokenRoutes: Route[] = [
  { method: 'POST', path: /^\/v1alpha\/auth_tokens$/, script: geminiScript },
  { method: 'POST', path: /^\/v1\/realtime\/client_secrets$/, script: openaiScript },
];

function geminiScript(mode: VendorMode, leak: string, { headers }: VendorRequest): Script {
  const key = `auth_tokens/${String(headers['x-goog-api-key'])}`;
  return googleError(mode, leak) ?? jsonScript(mode, mode === 'wrong-counts' ? {} : { name: mode === 'error-inside' ? key : geminiToken });
}

function openaiScript(mode: VendorMode, leak: string, { headers, body }: VendorRequest): Script {
  const key = String(headers.authorization).replace('Bearer ', '');
  const answer = { value: mode === 'error-inside' ? key : openaiToken, expires_at: openaiTokenExpiresAt, session: (body as { session: unknown }).session };
  return openaiError(mode, leak) ?? jsonScript(mode, mode === 'wrong-counts' ? { session: answer.session } : answer);
}
