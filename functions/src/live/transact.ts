import type { Database } from 'firebase-admin/database';
import { liveDatabase } from '../runtime/firebase.ts';
import { transact } from '../runtime/transact.ts';

// What is live is changed through this file only.
export { transact };

/** Transactions on `live/{sessionId}` that this process has under way. */
const liveTransactions = new WeakMap<Database, Map<string, Promise<unknown>>>();

function pendingOn(sessionId: string): Map<string, Promise<unknown>> {
  const database = liveDatabase(sessionId);
  const pending = liveTransactions.get(database) ?? new Map<string, Promise<unknown>>();
  liveTransactions.set(database, pending);
  return pending;
}

/** A transaction on `live/{sessionId}`; see `whenLiveIsFree`. */
export async function transactLive<T extends object>(sessionId: string, change: (current: T | null) => T | null | undefined): Promise<void> {
  const pending = pendingOn(sessionId);
  const mine = Promise.all([pending.get(sessionId), transact(liveDatabase(sessionId).ref(`live/${sessionId}`), change).catch((error: unknown) => error)]);
  pending.set(sessionId, mine);
  const [, outcome] = await mine;
  if (pending.get(sessionId) === mine) pending.delete(sessionId);
  if (outcome instanceof Error) throw outcome;
}

/**
 * Resolves once this process has no transaction on `live/{sessionId}` under way; null when it has none, so that a write
 * need not wait a moment for nothing. The SDK (database-compat 2, as of 13.10
 * of firebase-admin) forgets a transaction that is overtaken by two writes below its node, such as one update of two
 * paths: it never ends then.
 */
export function whenLiveIsFree(sessionId: string): Promise<void> | null {
  const pending = pendingOn(sessionId).get(sessionId);
  return pending ? pending.then(() => whenLiveIsFree(sessionId) ?? undefined) : null;
}
