import type { DecodedIdToken } from 'firebase-admin/auth';
import { AppError } from './errors.ts';
import { auth } from './firebase.ts';

/** Who makes a call, as proven by a verified Firebase ID token. */
export interface Caller {
  uid: string;
  email: string | null;
  /** Whether the account has shown that the address is its own. */
  emailVerified: boolean;
  admin: boolean;
}

/** Reads the caller from verified token claims. The claims `email_verified` and `admin`, a custom one, must be exactly `true`. */
export function callerOf(uid: string, token: Partial<DecodedIdToken>): Caller {
  return { uid, email: token.email ?? null, emailVerified: token.email_verified === true, admin: token['admin'] === true };
}

/**
 * Verifies the bearer token of a call; null when there is none. A token is good until it expires, an hour at most, also
 * when it is revoked meanwhile: asking Firebase Auth with every frame would cost more than it protects. What an
 * administrator may do is worth it: an account that is disabled, deleted or signed out is none from that moment on.
 * @throws AppError `unauthenticated` (signed_out) when a token is present and not valid.
 * @throws AppError `unavailable` (not_ready) when it cannot be verified.
 */
export async function callerOfHeader(authorization: string | undefined): Promise<Caller | null> {
  if (authorization === undefined) return null;
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  try {
    if (token === undefined) throw new Error('not a bearer token');
    const decoded = await auth().verifyIdToken(token);
    const caller = callerOf(decoded.uid, decoded);
    if (caller.admin) await auth().verifyIdToken(token, true);
    return caller;
  } catch (error) {
    if (isOutage(error)) throw new AppError('unavailable', 'Tokens cannot be verified right now. Try again in a moment.', { reason: 'not_ready' }, { cause: error });
    throw new AppError('unauthenticated', 'The ID token is not valid. Sign in again and send a fresh one.', { reason: 'signed_out' });
  }
}

/** Whether verification failed for want of an answer from Google, not because of the token. Of keys that cannot be had the SDK tells by a message alone. */
export function isOutage(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return code.startsWith('app/') || outages.has(code) || /^Error (fetching public keys|while making request)/.test(message);
}

const outages = new Set(['auth/internal-error', 'auth/insufficient-permission', 'auth/invalid-credential', 'auth/quota-exceeded', 'auth/too-many-requests']);
