import { createHmac, timingSafeEqual } from 'node:crypto';

/** What an address of a file is signed with, as the query of it. */
export interface Signed {
  /** ms since the epoch. */
  expires: string;
  signature: string;
}

/** Signs that a file may be read until a moment (ms since the epoch). */
export function sign(key: Buffer, path: string, expiresAt: number): Signed {
  const expires = String(expiresAt);
  return { expires, signature: signatureOf(key, path, expires) };
}

/** Whether this was signed with the key for just this file and is still valid at `now` (ms since the epoch). */
export function isSigned(key: Buffer, path: string, { expires, signature }: Partial<Record<keyof Signed, unknown>>, now: number): boolean {
  if (typeof expires !== 'string' || typeof signature !== 'string') return false;
  // Compared as they are written: several texts decode to the same bytes.
  const [wanted, given] = [Buffer.from(signatureOf(key, path, expires)), Buffer.from(signature)];
  return given.length === wanted.length && timingSafeEqual(given, wanted) && now < Number(expires);
}

function signatureOf(key: Buffer, path: string, expires: string): string {
  return createHmac('sha256', key).update(`${expires}\n${path}`).digest('base64url');
}
