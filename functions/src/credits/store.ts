import { FieldValue, Timestamp, type DocumentReference, type DocumentSnapshot, type WriteBatch } from 'firebase-admin/firestore';
import { agentRef } from '../agents/store.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, unchanged } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import type { Lot } from './lots.ts';
import type { CheckpointDoc, GrantDoc, LedgerDoc } from './schema.ts';
import { settle, type Settlement } from './settle.ts';

const checkpointRetentionMs = 30 * 24 * 60 * 60 * 1000;

/** sessions/{sessionId}/checkpoints/{checkpointId} */
export function checkpointRef(sessionId: string, checkpointId: string): DocumentReference {
  return db().collection('sessions').doc(sessionId).collection('checkpoints').doc(checkpointId);
}

/** A checkpoint document that is about to be created. */
export function toCheckpoint(total: number, final: boolean): object {
  return { total, final, createdAt: FieldValue.serverTimestamp(), deleteAt: Timestamp.fromMillis(Date.now() + checkpointRetentionMs) };
}

/** Records a cumulative total of an open session; its trigger settles it. A repeat is harmless. */
export async function createCheckpoint(sessionId: string, total: number): Promise<void> {
  await checkpointRef(sessionId, String(total)).set(toCheckpoint(total, false));
}

/**
 * Settles one checkpoint in one atomic commit: lots in burn order, balance and hold, session, ledger entry, event.
 * The agent document is rewritten by every change of its money, so its unchanged state vouches for the lots read
 * after it. Null when there was nothing left to settle.
 */
export async function settleCheckpoint(sessionId: string, checkpoint: Pick<CheckpointDoc, 'total' | 'final'>): Promise<Settlement | null> {
  const ref = db().collection('sessions').doc(sessionId) as DocumentReference<SessionDoc>;
  return commitIfUnchanged(async () => {
    const session = await ref.get();
    const data = session.data();
    if (!data) return { result: null };
    const agent = await agentRef(data.ownerId, data.agentInstanceId).get();
    if (!agent.exists) return { result: null, ...(checkpoint.final && data.settlement === 'pending' ? { write: (batch: WriteBatch) => writeOff(batch, session) } : {}) };
    const settlement = settle(checkpoint, data, agent.data()!, await openLots(agent.ref));
    if (!settlement) return { result: null };
    return { result: settlement, write: (batch) => writeSettlement(batch, session, agent, settlement) };
  });
}

/** A session whose agent is gone has nobody to settle with: it is done, or the sweep would come back to it for ever. */
function writeOff(batch: WriteBatch, session: DocumentSnapshot<SessionDoc>): void {
  const { sessionId, ownerId, agentInstanceId, settledDOFs, heldDOFs, version } = session.data()!;
  batch.update(session.ref, { settlement: 'done', heldDOFs: 0, version: version + 1 }, unchanged(session));
  const event = newEvent({ type: 'session.settled', subject: sessionId, sequence: version + 1, data: { sessionId, userId: ownerId, agentInstanceId, settledDOFs, delta: 0, releasedDOFs: heldDOFs, balanceAfter: null } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}

function writeSettlement(batch: WriteBatch, session: DocumentSnapshot<SessionDoc>, agent: DocumentSnapshot<AgentDoc>, settlement: Settlement): void {
  const { sessionId, ownerId, agentInstanceId } = session.data()!;
  const { delta, debits, released } = settlement;
  const { settledDOFs, settlement: state, version } = settlement.session;
  batch.update(session.ref, settlement.session, unchanged(session));
  batch.update(agent.ref, settlement.agent, unchanged(agent));
  for (const debit of debits) {
    batch.update(agent.ref.collection('grants').doc(debit.grantId), { remaining: FieldValue.increment(-debit.amount) });
  }
  if (delta > 0) {
    const operationId = `settle-${sessionId}-${settledDOFs}`;
    const entry: Omit<LedgerDoc, 'createdAt'> = {
      type: 'settlement', amount: -delta, balanceAfter: settlement.agent.currentDOFs, operationId, sessionId, lots: debits, seq: settlement.agent.seq,
    };
    batch.create(agent.ref.collection('ledger').doc(operationId), { ...entry, createdAt: FieldValue.serverTimestamp() });
  }
  const event = newEvent({
    type: state === 'done' ? 'session.settled' : 'session.dof_update',
    subject: sessionId,
    sequence: version,
    data: { sessionId, userId: ownerId, agentInstanceId, settledDOFs, delta, releasedDOFs: released, balanceAfter: settlement.agent.currentDOFs },
  });
  batch.create(outboxRef(event.eventId), toOutbox(event));
}

async function openLots(agent: DocumentReference): Promise<Lot[]> {
  const snapshot = await agent.collection('grants').where('remaining', '>', 0).get();
  return snapshot.docs.map((doc) => {
    const grant = doc.data() as GrantDoc;
    return { grantId: doc.id, remaining: grant.remaining, priority: grant.priority, expiresAt: grant.expiresAt?.toMillis() ?? null, createdAt: grant.createdAt.toMillis() };
  });
}
