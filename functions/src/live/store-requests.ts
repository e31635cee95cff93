import type { Reference } from 'firebase-admin/database';
import type { UsageLine } from '../credits/schema.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import { toUsageLines } from './lines.ts';
import { isRunning, judgeRepeat, type Repeat, type RequestRecord } from './requests.ts';
import { transact } from './transact.ts';

/** requests/{sessionId}/{requestId} */
function requestRef(sessionId: string, requestId: string): Reference {
  return liveDatabase(sessionId).ref(`requests/${sessionId}`).child(requestId);
}

/** Claims a request id: creates its record in one round trip, or says what is there already. */
export async function claimRequest(sessionId: string, requestId: string, claim: RequestRecord, now: number): Promise<Repeat> {
  let verdict: Repeat = { kind: 'new' };
  await transact<RequestRecord>(requestRef(sessionId, requestId), (current) => {
    verdict = judgeRepeat(current, claim, now);
    return verdict.kind === 'new' ? claim : undefined;
  });
  return verdict;
}

/**
 * Closes a request for the attempt `turnId`, unless it is closed, forgotten or taken over already: `won` says which, and
 * `record` is what stands there now. `close` answers the closed record, or null to forget the request so that the same
 * id may try again.
 */
export async function closeRequest(sessionId: string, requestId: string, turnId: string, close: (running: RequestRecord) => RequestRecord | null): Promise<{ won: boolean; record: RequestRecord | null }> {
  let closed: RequestRecord | null | undefined;
  let won = false;
  const record = await transact<RequestRecord>(requestRef(sessionId, requestId), (current) => {
    // After a lost answer it may be this very call that has closed it.
    won = isRunning(current, turnId) || (closed !== undefined && isSame(current, closed));
    if (isRunning(current, turnId)) return closed = close(current);
    return current === null ? null : undefined;
  });
  return { won, record };
}

/** By all that a repeat answers: whoever resolved the same turn may have charged the same. */
function isSame(record: RequestRecord | null, closed: RequestRecord | null): boolean {
  const fields = ['state', 'turnId', 'expiresAt', 'cost', 'outcome', 'cutBecause', 'estimated', 'reply'] as const;
  return record === closed || (record !== null && closed !== null && fields.every((field) => record[field] === closed[field]));
}

/** The record of a request; null when there is none. */
export async function readRequest(sessionId: string, requestId: string): Promise<RequestRecord | null> {
  return (await requestRef(sessionId, requestId).get()).val() as RequestRecord | null;
}

/** Keeps a request's record at hand, so that closing it costs one round trip. Returns the way to stop. */
export function keepRequest(sessionId: string, requestId: string): () => void {
  const request = requestRef(sessionId, requestId);
  const listener = request.on('value', () => undefined);
  return () => request.off('value', listener);
}

/** The turns whose price lies between two totals of a session, oldest first. What the records do not explain is a line without a request. */
export async function usageBetween(sessionId: string, from: number, to: number): Promise<UsageLine[]> {
  const snapshot = await liveDatabase(sessionId).ref(`requests/${sessionId}`).orderByChild('consumed').startAt(from + 1).endAt(to).get();
  return toUsageLines((snapshot.val() ?? {}) as Record<string, RequestRecord>, from, to, now());
}
