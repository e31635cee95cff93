import { Timestamp } from 'firebase-admin/firestore';
import { agentNotFound, agentRef } from '../agents/store.ts';
import type { CheckpointDoc, GrantSource, LedgerDoc, UsageLine } from '../credits/schema.ts';
import { grantsRef } from '../credits/store.ts';
import { toLine } from '../live/lines.ts';
import { requestKey } from '../live/requests.ts';
import { readRequest, usageBetween } from '../live/store-requests.ts';
import { db, liveDatabase } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef } from '../sessions/store.ts';
import { seamless } from '../credits/lines.ts';
import type { SettlementEntry } from './receipt.ts';

/** A session and the DOFs that it has consumed by now. */
export interface MeteredSession {
  session: SessionDoc;
  consumedDOFs: number;
}

/** A session with its total, which is the meter's while it is open; null when unknown. One read, two while open. */
export async function readMetered(sessionId: string): Promise<MeteredSession | null> {
  const session = (await sessionRef(sessionId).get()).data();
  if (!session) return null;
  // In this order: a session that ends in between leaves its meter as it is for an hour.
  const metered = session.status === 'active' ? (await liveDatabase(sessionId).ref(`meters/${sessionId}/consumed`).get()).val() as number | null : null;
  return { session, consumedDOFs: Math.max(session.consumedDOFs, metered ?? 0) };
}

/** At least `count` lines of a session after its first `after` DOFs, or all that there are: from its checkpoints, then from its requests. */
export async function linesAfter(metered: MeteredSession, after: number, count: number): Promise<UsageLine[]> {
  const { session: { sessionId, status, endedAt }, consumedDOFs } = metered;
  if (after >= consumedDOFs) return [];
  const lines: UsageLine[] = [];
  const lastAt = endedAt?.toMillis() ?? now();
  let reached = after;
  for await (const checkpoint of checkpointsAfter(sessionId, after)) {
    const upTo = Math.min(checkpoint.total, consumedDOFs);
    lines.push(...seamless(checkpoint.lines, reached, upTo, lastAt));
    reached = Math.max(reached, upTo);
    if (lines.length >= count || reached >= consumedDOFs) return lines;
  }
  if (reached >= consumedDOFs) return lines;
  const open = status === 'active' ? await usageBetween(sessionId, reached, consumedDOFs) : [];
  return [...lines, ...seamless(open, reached, consumedDOFs, lastAt)];
}

/** The line of one request; null when it has none, or was not charged yet. One read while the session has its live state. */
export async function lineOf({ session, consumedDOFs }: MeteredSession, requestId: string, memberId: string | undefined): Promise<UsageLine | null> {
  const key = requestKey(requestId, memberId);
  const record = await readRequest(session.sessionId, key);
  if (record) return toLine(key, record).find(({ to }) => to <= consumedDOFs) ?? null;
  if (session.status === 'active') return null;
  for await (const { lines } of checkpointsAfter(session.sessionId, 0)) {
    const line = lines.find((each) => each.requestId === requestId && each.by === memberId);
    if (line) return line;
  }
  return null;
}

/** How many checkpoints are read at a time: a page of lines is in the first of them, or in a few. */
const checkpointsPerRead = 4;

/** The checkpoints of a session whose total is more than `after`, by their totals. Of several with one total the final one is last, and may be left out: it repeats the others. */
async function* checkpointsAfter(sessionId: string, after: number): AsyncGenerator<CheckpointDoc> {
  let reached = after;
  for (;;) {
    const { docs } = await sessionRef(sessionId).collection('checkpoints').where('total', '>', reached).orderBy('total').limit(checkpointsPerRead).get();
    const found = docs.map((doc) => doc.data() as CheckpointDoc);
    yield* found;
    if (found.length < checkpointsPerRead) return;
    reached = found.at(-1)!.total;
  }
}

/**
 * The ledger entries of a session, in no particular order: at most one for every checkpoint and every voice token. Which checkpoints were
 * settled in one entry is known to the ledger only, so it is asked by `sessionId`, whose index Firestore keeps by itself.
 */
export async function settlementsOf({ sessionId, ownerId, agentInstanceId }: SessionDoc): Promise<SettlementEntry[]> {
  const { docs } = await agentRef(ownerId, agentInstanceId).collection('ledger').where('sessionId', '==', sessionId).get();
  return docs.map((doc) => doc.data() as LedgerDoc);
}

/** Where the DOFs of some grants of a session's agent come from. One read for each. */
export async function sourcesOf({ ownerId, agentInstanceId }: SessionDoc, grantIds: string[]): Promise<Map<string, GrantSource>> {
  const grants = grantsRef(agentRef(ownerId, agentInstanceId));
  const snapshots = grantIds.length === 0 ? [] : await db().getAll(...grantIds.map((grantId) => grants.doc(grantId)), { fieldMask: ['source'] });
  return new Map(snapshots.flatMap((snapshot) => (snapshot.exists ? [[snapshot.id, snapshot.get('source') as GrantSource]] : [])));
}

/**
 * One page of an agent's ledger, newest first, with entries before `before`.
 * @throws AppError `not-found` for a missing or foreign agent.
 */
export async function listEntries(userId: string, agentInstanceId: string, limit: number, before: number | null): Promise<LedgerDoc[]> {
  const agent = agentRef(userId, agentInstanceId);
  const newestFirst = agent.collection('ledger').orderBy('seq', 'desc').limit(limit);
  const [owned, page] = await Promise.all([agent.get(), (before === null ? newestFirst : newestFirst.startAfter(before)).get()]);
  if (!owned.exists) throw agentNotFound();
  return page.docs.map((doc) => doc.data() as LedgerDoc);
}

/** Checkpoints that are read, and so held in memory, at a time: 10 of the largest (1,000 lines) are 40 MB, 50 would be 200. */
const checkpointsPerPage = 10;

/**
 * The checkpoints of a user with lines that ended in [from, to) (ms), by their last line. Asks for both ends: where
 * sessions run side by side, a checkpoint that ends long after the range may still have begun in it.
 */
export async function* checkpointsBetween(userId: string, { from, to }: { from: number; to: number }): AsyncGenerator<CheckpointDoc> {
  const inRange = db().collectionGroup('checkpoints').where('ownerId', '==', userId).where('lastAt', '>=', Timestamp.fromMillis(from)).where('firstAt', '<', Timestamp.fromMillis(to))
    .orderBy('lastAt').orderBy('firstAt').limit(checkpointsPerPage);
  let page = inRange;
  for (;;) {
    const { docs } = await page.get();
    for (const doc of docs) yield doc.data() as CheckpointDoc;
    if (docs.length < checkpointsPerPage) return;
    page = inRange.startAfter(docs.at(-1)!);
  }
}
