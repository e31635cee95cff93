import type { Database, Reference } from 'firebase-admin/database';
import { AppError } from '../runtime/errors.ts';
import { liveDatabase } from '../runtime/firebase.ts';

const attempts = 8;
/** What the SDK calls a transaction that a write of this process has overtaken, and one whose answer was lost with the connection. */
const interruptions = new Set(['set', 'disconnect']);

/**
 * A transaction on one node; answers what stands there afterwards. `change` answers undefined to leave it as it is: that
 * is written as well, so that the server confirms it, since what a process sees may be its own write that the server has
 * yet to refuse. One that was interrupted runs again, although it may have been carried out: every change here is one
 * that may be asked for twice.
 * @throws AppError `aborted` (contention) when others are faster for too long.
 */
export async function transact<T extends object>(ref: Reference, change: (current: T | null) => T | null | undefined): Promise<T | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { snapshot } = await ref.transaction((current: T | null) => {
        const next = change(current);
        return next === undefined ? current : next;
      }, undefined, false);
      return snapshot.val() as T | null;
    } catch (error) {
      const { message } = error as Error;
      if (message === 'maxretry') throw new AppError('aborted', 'Too many calls change this session at once. Try again in a moment.', { reason: 'contention', retryAfterMs: 1_000 });
      if (attempt === attempts || !interruptions.has(message)) throw error;
    }
  }
}

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
