import type { IncomingHttpHeaders } from 'node:http';
import { clientAddress } from './address.ts';
import { requireApp } from './app-check.ts';
import { callerOfHeader, type Caller } from './caller.ts';
import { ownProxies } from './params.ts';
import { countCall } from './rates.ts';

/** A call as it arrives. */
export interface Visit {
  /** Who is signed in; null: nobody. */
  uid: string | null;
  request: { headers: IncomingHttpHeaders; socket?: { remoteAddress?: string | undefined } };
  /** Whether the platform has verified the token of its app already. */
  appVerified: boolean;
  /** Whether the token of its app is used up by it. */
  once: boolean;
}

/**
 * Counts a call, and asks where it comes from. Somebody who has not signed in uses up no token: where one is, the call is refused anyway.
 * @throws AppError `resource-exhausted` (rate_limited), `aborted` (contention), `unauthenticated` (app_check) or `unavailable` (not_ready)
 */
export async function admit({ uid, request: { headers, socket }, appVerified, once }: Visit): Promise<void> {
  await countCall(uid, clientAddress(headerOf(headers, 'x-forwarded-for'), socket?.remoteAddress, ownProxies()));
  await requireApp({ token: headerOf(headers, 'x-firebase-appcheck'), verified: appVerified }, once && uid !== null);
}

/**
 * Who makes a call, by its bearer token. A call that is refused for its token has been counted: guessing is not free.
 * @throws AppError as callerOfHeader does, and what `enter` throws, which admits somebody who is not signed in.
 */
export async function callerOfVisit(authorization: string | undefined, enter: () => Promise<void>): Promise<Caller | null> {
  return callerOfHeader(authorization).catch(async (error: unknown) => {
    await enter();
    throw error;
  });
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
