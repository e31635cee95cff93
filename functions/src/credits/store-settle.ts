import { FieldValue, Timestamp, type DocumentReference, type DocumentSnapshot, type WriteBatch } from 'firebase-admin/firestore';
import { agentRef } from '../agents/store.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, onceCommitted, unchanged } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { lines } from '../runtime/lines.ts';
import { now } from '../runtime/system.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import type { CheckpointDoc, UsageLine } from './schema.ts';
import { settle, type Settlement } from './settle.ts';
import { writeMoney, writeResolvedHold } from './store.ts';

/** sessions/{sessionId}/checkpoints/{checkpointId} */
export function checkpointRef(sessionId: string, checkpointId: string): DocumentReference<CheckpointDoc> {
  return db().collection('sessions').doc(sessionId).collection('checkpoints').doc(checkpointId) as DocumentReference<CheckpointDoc>;
}

/** Whose usage a checkpoint records. */
export type CheckpointOf = Pick<CheckpointDoc, 'sessionId' | 'ownerId' | 'agentInstanceId'>;

/** A checkpoint document that is about to be created. */
export function toCheckpoint({ sessionId, ownerId, agentInstanceId }: CheckpointOf, total: number, lines: UsageLine[], final: boolean): object {
  // Not of the first and the last line: instances whose clocks differ may have ended them.
  const moments = lines.map(({ at }) => at);
  const moment = (choose: typeof Math.min): Timestamp | null => (lines.length === 0 ? null : Timestamp.fromMillis(choose(...moments)));
  return { sessionId, ownerId, agentInstanceId, total, final, lines, firstAt: moment(Math.min), lastAt: moment(Math.max), createdAt: FieldValue.serverTimestamp() };
}

/** Records a cumulative total of an open session; its trigger settles it. A repeat is harmless. */
export async function createCheckpoint(of: CheckpointOf, total: number, lines: UsageLine[]): Promise<void> {
  await checkpointRef(of.sessionId, String(total)).set(toCheckpoint(of, total, lines, false) as CheckpointDoc);
}

/** What is to be settled. */
export interface ToSettle extends CheckpointOf, Pick<CheckpointDoc, 'total' | 'final'> {
  /** Since when it waits to be settled; absent: it does not, the call that ends a session settles it. */
  createdAt?: Timestamp;
}

/**
 * Settles one checkpoint in two round trips: one for session and agent, and one atomic commit of balance and hold,
 * session, ledger entry and event. Null when there was nothing left to settle.
 */
export async function settleCheckpoint(checkpoint: ToSettle): Promise<Settlement | null> {
  const { sessionId, ownerId, agentInstanceId } = checkpoint;
  const ref = db().collection('sessions').doc(sessionId) as DocumentReference<SessionDoc>;
  return commitIfUnchanged(async () => {
    const [session, agent] = await db().getAll(ref, agentRef(ownerId, agentInstanceId)) as [DocumentSnapshot<SessionDoc>, DocumentSnapshot<AgentDoc>];
    const data = session.data();
    if (!data) return { result: null };
    if (!agent.exists) return { result: null, ...(checkpoint.final && data.settlement === 'pending' ? { write: (batch: WriteBatch) => writeOff(batch, session) } : {}) };
    const settlement = settle(checkpoint, data, agent.data()!, now());
    if (!settlement) return { result: null };
    return { result: settlement, write: (batch) => {
      writeSettlement(batch, session, agent, settlement);
      onceCommitted(batch, () => tellOf(settlement, data, checkpoint.createdAt));
    } };
  });
}

function tellOf({ delta }: Settlement, { sessionId, agentInstanceId, config: { provider } }: SessionDoc, since: Timestamp | undefined): void {
  // Clocks differ.
  const lagMs = since === undefined ? {} : { lagMs: Math.max(0, now() - since.toMillis()) };
  lines.transaction.write({ type: 'settlement', amountDOFs: delta, ...lagMs, sessionId, agentInstanceId, provider });
}

/** A session whose agent is gone has nobody to settle with: it is done, or the sweep would come back to it for ever. */
function writeOff(batch: WriteBatch, session: DocumentSnapshot<SessionDoc>): void {
  const { settledDOFs, heldDOFs, version } = session.data()!;
  batch.update(session.ref, { settlement: 'done', heldDOFs: 0, version: version + 1 }, unchanged(session));
  writeSettled(batch, session.data()!, 'session.settled', version + 1, { settledDOFs, delta: 0, releasedDOFs: heldDOFs, balanceAfter: null });
}

function writeSettlement(batch: WriteBatch, session: DocumentSnapshot<SessionDoc>, agent: DocumentSnapshot<AgentDoc>, settlement: Settlement): void {
  const { delta, released, money, hold } = settlement;
  const { settledDOFs, settlement: state, version } = settlement.session;
  batch.update(session.ref, settlement.session, unchanged(session));
  writeMoney(batch, agent, money);
  if (hold) writeResolvedHold(batch, agent.ref, hold);
  writeSettled(batch, session.data()!, state === 'done' ? 'session.settled' : 'session.dof_update', version, { settledDOFs, delta, releasedDOFs: released, balanceAfter: money.balance.currentDOFs });
}

function writeSettled(batch: WriteBatch, { sessionId, ownerId, agentInstanceId }: SessionDoc, type: 'session.settled' | 'session.dof_update', sequence: number, data: Record<string, unknown>): void {
  const event = newEvent({ type, subject: sessionId, sequence, data: { sessionId, userId: ownerId, agentInstanceId, ...data } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}
