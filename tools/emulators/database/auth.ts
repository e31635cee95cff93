/** Credentials: who a token stands for. Signatures are not checked, as in every emulator. */

import { TokenError } from './errors.ts';
import type { Identity } from './rules.ts';

/** An identity and the time in milliseconds at which its token runs out, if ever. */
export interface Credential {
  identity: Identity;
  expires: number | null;
}

/** Somebody who has not signed in. */
export const ANONYMOUS: Identity = { admin: false, auth: null };

/** The administrator. */
export const OWNER: Identity = { admin: true, auth: null };

const OWNER_TOKEN = 'owner';

/** Reads a credential: the word that stands for the administrator, or a JSON web token. */
export function readCredential(token: string, now: number): Credential {
  if (token === OWNER_TOKEN) return { identity: OWNER, expires: null };
  const claims = readClaims(token);
  // Tokens made up for tests are issued at the beginning of time and never meant to run out.
  const expires = claims['iat'] !== 0 && typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : null;
  if (expires !== null && expires <= now) throw new TokenError('expired_token', 'Auth token is expired');
  return { identity: { admin: false, auth: authOf(claims) }, expires };
}

/** The identity that an administrator takes on: another `auth`, or none, under the rules. */
export function actAs(auth: unknown): Identity {
  return { admin: false, auth: isObject(auth) ? auth : null };
}

function readClaims(token: string): Record<string, unknown> {
  const payload = token.split('.')[1];
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'));
    if (isObject(claims)) return claims;
  } catch {
    // Falls through to the one refusal there is.
  }
  throw new TokenError('invalid_token', 'Could not parse auth token');
}

function authOf(claims: Record<string, unknown>): Record<string, unknown> {
  // Tokens of the first generation carry the whole of `auth` in one claim.
  if (isObject(claims['d'])) return claims['d'];
  const uid = claims['sub'] ?? claims['user_id'];
  if (typeof uid !== 'string') throw new TokenError('invalid_token', 'Auth token has no subject');
  const firebase = isObject(claims['firebase']) ? claims['firebase'] : {};
  const provider = claims['provider_id'] ?? firebase['sign_in_provider'] ?? 'custom';
  return { uid, token: claims, provider };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
