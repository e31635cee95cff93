import type { DocumentSnapshot, Precondition, Query, WriteBatch } from 'firebase-admin/firestore';
import { AppError } from './errors.ts';
import { db } from './firebase.ts';
import { random, wait } from './system.ts';

const attempts = 12;
const baseDelayMs = 15;
const maxDelayMs = 800;
/** gRPC codes that mean "somebody else changed it first": ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED. */
const lostRaceCodes = new Set([6, 9, 10]);

/** A decision with the writes that carry it out; no writes means that there is nothing to do. */
export interface Plan<T> {
  result: T;
  write?: (batch: WriteBatch) => void;
}

/**
 * Reads, decides and commits atomically without holding locks: every write of the plan carries a precondition
 * (`create`, or `update` with the `lastUpdateTime` that was read), so the commit fails as a whole when anything it
 * relied on has changed, and the plan is made again from fresh reads. Unlike a Firestore transaction, losers of a
 * race fail at once instead of queueing for locks: one read and one commit each, whatever the contention.
 * @throws AppError `aborted` (contention) when the race is lost on every attempt.
 */
export async function commitIfUnchanged<T>(plan: () => Promise<Plan<T>>): Promise<T> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { result, write } = await plan();
    if (write === undefined) return result;
    const batch = db().batch();
    write(batch);
    try {
      await batch.commit();
      for (const tell of toTell.get(batch) ?? []) tell();
      return result;
    } catch (error) {
      if (!lostRaceCodes.has((error as { code?: number }).code ?? -1)) throw error;
    }
    await wait(random() * Math.min(maxDelayMs, baseDelayMs * 2 ** attempt));
  }
  throw new AppError('aborted', 'Too many calls change this at once. Try again in a moment.', { reason: 'contention', retryAfterMs: maxDelayMs });
}

const toTell = new WeakMap<WriteBatch, (() => void)[]>();

/** Has something told that a commit of commitIfUnchanged carries out, once it has: a commit that loses its race is none. `tell` must not throw. */
export function onceCommitted(batch: WriteBatch, tell: () => void): void {
  toTell.set(batch, [...toTell.get(batch) ?? [], tell]);
}

/** Most deletions of one commit; Firestore takes 500 writes. */
const deletionsPerCommit = 400;

/** Deletes everything that a query finds, some at a time; what a call that was cut short has left, its repetition deletes. Answers how many there were. */
export async function deleteAllOf(query: Query): Promise<number> {
  for (let deleted = 0; ;) {
    const { docs } = await query.select().limit(deletionsPerCommit).get();
    const batch = db().batch();
    for (const { ref } of docs) batch.delete(ref);
    if (docs.length > 0) await batch.commit();
    deleted += docs.length;
    if (docs.length < deletionsPerCommit) return deleted;
  }
}

/** The precondition that a document is still as it was read. */
export function unchanged(snapshot: DocumentSnapshot): Precondition {
  if (!snapshot.updateTime) throw new Error(`no such document: ${snapshot.ref.path}`);
  return { lastUpdateTime: snapshot.updateTime };
}
