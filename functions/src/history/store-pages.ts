import type { CollectionReference, DocumentSnapshot, Query } from 'firebase-admin/firestore';
import type { Position } from '../runtime/cursor.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { isDeleted } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef } from '../sessions/store.ts';
import { compareTo, pageIdOf, turnsPerPage } from './history.ts';
import type { TurnDoc, TurnPageDoc } from './schema.ts';

/** sessions/{sessionId}/turns */
const turnsRef = (sessionId: string) => sessionRef(sessionId).collection('turns') as CollectionReference<TurnPageDoc>;

/**
 * Writes one page of an ended session, whose first turn is the nth of all; a repeat changes nothing. False when the
 * session is not to be archived any more: it was deleted, or somebody else was faster.
 * @throws AppError `aborted` (contention).
 */
export async function writePage(sessionId: string, index: number, turns: TurnDoc[]): Promise<boolean> {
  return commitIfUnchanged(async (): Promise<Plan<boolean>> => {
    const page = turnsRef(sessionId).doc(pageIdOf(index));
    const [snapshot, known] = await db().getAll(sessionRef(sessionId), page) as [DocumentSnapshot<SessionDoc>, DocumentSnapshot<TurnPageDoc>];
    const session = snapshot.data();
    if (!session || session.cleanupAt === null || isDeleted(session)) return { result: false };
    // The same turns make the same pages: what has more is of somebody who has read before the live state went.
    if ((known.data()?.turns.length ?? 0) >= turns.length) return { result: true };
    return { result: true, write: (batch) => {
      batch.set(page, { turns, firstAt: turns[0]!.at });
      // As it is: only so that nothing is written to a session that is being deleted.
      batch.update(snapshot.ref, { cleanupAt: session.cleanupAt }, unchanged(snapshot));
    } };
  });
}

/** Archived turns before a position, newest first, at most `count`. Reads the pages that they are in. */
export async function archivedTurnsBefore(sessionId: string, count: number, before: Position | null): Promise<TurnDoc[]> {
  const newestFirst = turnsRef(sessionId).orderBy('firstAt', 'desc');
  const turns: TurnDoc[] = [];
  for await (const page of pagesIn(before ? newestFirst.startAt(before.order) : newestFirst, Math.ceil(count / turnsPerPage))) {
    turns.push(...page.turns.filter((turn) => before === null || compareTo(turn, before) < 0).reverse());
    if (turns.length >= count) break;
  }
  return turns.slice(0, count);
}

/** Pages that are read, and so held in memory, at a time. */
const pagesPerRead = 4;

/** The archived turns of a session after a position, page by page, oldest first. */
export async function* archivedTurnsAfter(sessionId: string, after: Position | null): AsyncGenerator<TurnDoc[]> {
  const oldestFirst = turnsRef(sessionId).orderBy('firstAt');
  for await (const page of pagesIn(oldestFirst, pagesPerRead)) yield page.turns.filter((turn) => after === null || compareTo(turn, after) > 0);
}

async function* pagesIn(query: Query<TurnPageDoc>, perRead: number): AsyncGenerator<TurnPageDoc> {
  for (let next = query.limit(perRead); ;) {
    const { docs } = await next.get();
    for (const doc of docs) yield doc.data();
    if (docs.length < perRead) return;
    next = query.limit(perRead).startAfter(docs.at(-1)!);
  }
}
