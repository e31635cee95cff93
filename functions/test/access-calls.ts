import { operations } from '../src/operations.ts';
import type { Caller, Place } from './access-rules.ts';
import type { Stage } from './access-stage.ts';
import { deploy, type Instance } from './deployed.ts';
import { tokenPart } from './google-service.ts';
import { revokedSeconds, type IdTokenService } from './id-token-service.ts';

/** The two ways to reach an operation. */
export const ways = ['callable', 'REST'] as const;
export type Way = (typeof ways)[number];

/** What came of a call, in words that both ways have in common. */
export interface Answer {
  status: number;
  /** Null unless it was refused. */
  error: { code: string; message: string; details?: { reason: string } } | null;
  /** As it came. */
  text: string;
}

/** Where the operations are served. */
export type Served = Record<Way, Instance>;

const host = new URL('all-callables.ts', import.meta.url).pathname;
const unlimited = { RATE_LIMIT_PER_USER: '1000000', RATE_LIMIT_PER_ADDRESS: '1000000' };

/** Serves every operation in both ways from the built functions, which take the tokens of this service and no other. */
export async function serveAll({ env }: IdTokenService, parameters: Record<string, string> = unlimited): Promise<Served> {
  const [callable, rest] = await Promise.all([deploy('processFrame', { ...env, ...parameters }, host), deploy('api', { ...env, ...parameters })]);
  return { callable, REST: rest };
}

/** Calls an operation; without a token when it is null. */
export async function call(served: Served, way: Way, name: keyof typeof operations, input: object, token: string | null): Promise<Answer> {
  const { path, body, method } = way === 'REST' ? restRequest(name, input) : { path: `/${name}`, body: { data: input }, method: 'POST' };
  const response = await fetch(`${served[way].url}${path}`, {
    method, redirect: 'manual', headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...(token === null ? {} : { authorization: `Bearer ${token}` }) }, ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, text, error: response.status < 400 ? null : errorOf(text) };
}

/** The error of an answer's body, in words that both ways have in common. */
export function errorOf(text: string): Answer['error'] {
  const { error: { status, ...error } } = JSON.parse(text) as { error: { status?: string; code: string; message: string } };
  return status === undefined ? error : { ...error, code: status.toLowerCase().replaceAll('_', '-') };
}

/** The request of a route: what its path does not name goes into the query of a GET, and into the body of everything else. */
export function restRequest(name: keyof typeof operations, input: object): { method: string; path: string; body: object | null } {
  const { method, path } = operations[name].route;
  const left = new Map(Object.entries(input).map(([field, value]): [string, unknown] => [field, value]));
  const filled = path.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = left.get(field);
    left.delete(field);
    return encodeURIComponent(String(value));
  });
  const query = method === 'get' && left.size > 0 ? `?${new URLSearchParams([...left].map(([field, value]): [string, string] => [field, String(value)])).toString()}` : '';
  return { method: method.toUpperCase(), path: `/v1${filled}${query}`, body: method === 'get' ? null : Object.fromEntries(left) };
}

/** The token of a caller; null for one that has none. */
export function tokenOf({ token }: IdTokenService, { uids }: Stage, caller: Caller): string | null {
  const now = Math.floor(Date.now() / 1_000);
  const before = { auth_time: now - 2 * revokedSeconds };
  switch (caller) {
    case 'anonymous': return null;
    case 'expired': return token(uids.owner, { claims: { iat: now - 3_601, auth_time: now - 3_601, exp: now - 1 } });
    case 'wrongProject': return token(uids.owner, { claims: { aud: 'other', iss: 'https://securetoken.google.com/other' } });
    case 'unsigned': return `${tokenPart({ alg: 'none', typ: 'JWT' })}.${token(uids.owner).split('.')[1]}.`;
    case 'brokenSignature': return `${token(uids.owner).split('.').slice(0, 2).join('.')}.${token(uids.other).split('.')[2]}`;
    case 'revoked': return token(uids.owner, { claims: before });
    case 'revokedAdmin': return token(uids.admin, { claims: { ...before, admin: true } });
    case 'admin': return token(uids.admin, { claims: { admin: true } });
    default: return token(uids[caller]);
  }
}

let calls = 0;

/** A target for one call. */
export function placeFor(stage: Stage, target: keyof Stage['places']): Place {
  return { ...stage.places[target], key: `call-${stage.uids.owner.slice(-13)}-${++calls}` };
}
