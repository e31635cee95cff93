import { createHash, verify, type KeyObject } from 'node:crypto';

/** Who may sign addresses: the account and its public key. */
export interface Signer {
  clientEmail: string;
  publicKey: KeyObject;
}

const percent = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * What is wrong with a V4 signed URL for GET at a moment (ms since the epoch); null when nothing is. Written from
 * Google's description of the canonical request (https://cloud.google.com/storage/docs/authentication/canonical-requests),
 * not from the SDK that makes them.
 */
export function faultOf(url: URL, { clientEmail, publicKey }: Signer, now: number): string | null {
  const query = [...url.searchParams];
  const value = (name: string): string => url.searchParams.get(`X-Goog-${name}`) ?? '';
  const date = value('Date');
  const scope = `${date.slice(0, 8)}/auto/storage/goog4_request`;
  if (value('Algorithm') !== 'GOOG4-RSA-SHA256') return 'algorithm';
  if (value('Credential') !== `${clientEmail}/${scope}`) return 'credential';
  if (value('SignedHeaders') !== 'host') return 'headers';
  if (query.length !== 6) return 'parameters';
  const canonicalQuery = query.filter(([name]) => name !== 'X-Goog-Signature').map(([name, text]) => `${percent(name)}=${percent(text)}`).sort().join('&');
  const canonical = ['GET', url.pathname, canonicalQuery, `host:${url.hostname}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['GOOG4-RSA-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  if (!verify('sha256', Buffer.from(toSign), publicKey, Buffer.from(value('Signature'), 'hex'))) return 'signature';
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const seconds = Number(value('Expires'));
  if (!(seconds > 0 && seconds <= 7 * 86_400)) return 'expiry';
  return now < signedAt + seconds * 1_000 ? null : 'expired';
}
