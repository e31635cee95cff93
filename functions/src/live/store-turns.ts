import type { Query } from 'firebase-admin/database';
import { liveDatabase } from '../runtime/firebase.ts';
import { byAnswer, type SaidRecord } from './requests.ts';

/** The records of a session's conversation, ordered by when they were answered. */
function conversationOf(sessionId: string): Query {
  return liveDatabase(sessionId).ref(`requests/${sessionId}`).orderByChild('saidAt');
}

/** The last turns of a session's conversation that were answered from `from` to `to` (ms, both included), oldest first. One query. */
export async function lastTurns(sessionId: string, limit: number, { from = 1, to = Number.MAX_SAFE_INTEGER }: { from?: number; to?: number } = {}): Promise<SaidRecord[]> {
  return read(conversationOf(sessionId).startAt(from).endAt(to).limitToLast(limit));
}

/** The first turns of a session's conversation that were answered from `from` (ms) on, oldest first. One query. */
export async function firstTurns(sessionId: string, limit: number, from: number): Promise<SaidRecord[]> {
  return read(conversationOf(sessionId).startAt(from).limitToFirst(limit));
}

async function read(query: Query): Promise<SaidRecord[]> {
  return Object.values(((await query.get()).val() ?? {}) as Record<string, SaidRecord>).sort(byAnswer);
}
