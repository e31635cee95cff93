import type { Reference } from 'firebase-admin/database';
import { AppError } from './errors.ts';

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
      if (message === 'maxretry') throw new AppError('aborted', 'Too many calls at once. Try again in a moment.', { reason: 'contention', retryAfterMs: 1_000 });
      if (attempt === attempts || !interruptions.has(message)) throw error;
    }
  }
}
