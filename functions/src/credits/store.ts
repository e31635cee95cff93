import { FieldValue, type CollectionReference, type DocumentReference, type DocumentSnapshot, type WriteBatch } from 'firebase-admin/firestore';
import type { AgentDoc } from '../agents/schema.ts';
import { agentRef } from '../agents/store.ts';
import { agentSubject, newEvent, type EventType } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, onceCommitted, unchanged, type Plan } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { lines } from '../runtime/lines.ts';
import { crossedThresholds } from './alerts.ts';
import type { Change } from './balance.ts';
import type { ResolvedHold } from './holds.ts';
import type { GrantDoc, LedgerDoc, OperationDoc, ResolvedHoldDoc } from './schema.ts';
import { amountOf } from './transactions.ts';

/** users/{uid}/agents/{agentInstanceId}/ledger */
export function ledgerRef(agent: DocumentReference): CollectionReference<LedgerDoc> {
  return agent.collection('ledger') as CollectionReference<LedgerDoc>;
}

/** users/{uid}/agents/{agentInstanceId}/grants */
export function grantsRef(agent: DocumentReference): CollectionReference<GrantDoc> {
  return agent.collection('grants') as CollectionReference<GrantDoc>;
}

/** users/{uid}/agents/{agentInstanceId}/holds */
export function holdsRef(agent: DocumentReference): CollectionReference<ResolvedHoldDoc> {
  return agent.collection('holds') as CollectionReference<ResolvedHoldDoc>;
}

/** operations/{operationId} */
export function operationRef(operationId: string): DocumentReference<OperationDoc> {
  return db().collection('operations').doc(operationId) as DocumentReference<OperationDoc>;
}

/** An event about the agent itself that goes out with a change of its money. */
export interface AgentEvent {
  type: EventType;
  data: Record<string, unknown>;
}

/**
 * Adds a change of money to a commit: the agent document under the precondition that it is as it was read, its new
 * ledger entries, the events, and an alert when the balance fell below a threshold. The one place that writes money.
 */
export function writeMoney(batch: WriteBatch, snapshot: DocumentSnapshot<AgentDoc>, { before, balance, entries }: Change, events: AgentEvent[] = []): void {
  const { ownerId: userId, agentInstanceId, alertThresholds, version } = snapshot.data()!;
  const crossed = crossedThresholds(alertThresholds, before.currentDOFs, balance.currentDOFs);
  const alerts: AgentEvent[] = crossed.length === 0 ? [] : [{ type: 'agent.low_balance', data: { thresholds: crossed, currentDOFs: balance.currentDOFs } }];
  const all = [...events, ...alerts];
  batch.update(snapshot.ref, { ...balance, version: version + all.length }, unchanged(snapshot));
  for (const entry of entries) batch.create(ledgerRef(snapshot.ref).doc(entry.operationId), { ...entry, createdAt: FieldValue.serverTimestamp() });
  all.forEach(({ type, data }, index) => {
    const event = newEvent({ type, subject: agentSubject({ userId, agentInstanceId }), sequence: version + index + 1, data: { userId, agentInstanceId, ...data } });
    batch.create(outboxRef(event.eventId), toOutbox(event));
    const amountDOFs = amountOf({ type, data });
    if (amountDOFs !== null) onceCommitted(batch, () => lines.transaction.write({ type, amountDOFs, agentInstanceId }));
  });
}

/** Adds how a hold was resolved to a commit. It is created: a hold cannot be resolved twice. */
export function writeResolvedHold(batch: WriteBatch, agent: DocumentReference, hold: ResolvedHold): void {
  batch.create(holdsRef(agent).doc(hold.holdId), { ...hold, resolvedAt: FieldValue.serverTimestamp() });
}

/** Adds a grant, as it was made, to a commit. */
export function writeGrant(batch: WriteBatch, agent: DocumentReference, grant: Omit<GrantDoc, 'createdAt'>): void {
  batch.create(grantsRef(agent).doc(grant.grantId), { ...grant, createdAt: FieldValue.serverTimestamp() });
}

/** Which agent's money an operation changes. */
export interface Target {
  userId: string;
  agentInstanceId: string;
}

/** What a change of one agent's money comes to; without `write` nothing changes. */
export interface MoneyPlan<T> {
  result: T;
  write?: (batch: WriteBatch) => void;
}

/**
 * Changes one agent's money in one atomic commit, decided on the agent as it was read.
 * @throws AppError `not-found` for an unknown agent, and what `decide` throws; nothing is written then.
 */
export async function changeMoney<T>({ userId, agentInstanceId }: Target, decide: (agent: DocumentSnapshot<AgentDoc>) => MoneyPlan<T> | Promise<MoneyPlan<T>>): Promise<T> {
  const ref = agentRef(userId, agentInstanceId);
  return commitIfUnchanged(async (): Promise<Plan<T>> => {
    const agent = await ref.get();
    if (!agent.exists) throw new AppError('not-found', 'This user has no agent with this id.', { reason: 'not_found' });
    return decide(agent);
  });
}

/** What makes an operation repeatable: its key, and a digest of what was asked under it. */
export interface Idempotency {
  operationId: string;
  fingerprint: string;
  actor: string;
}

/**
 * The same under an idempotency key: a repeat gets the first result with `replayed: true` and changes nothing. Keys are
 * one space for all agents, so that one payment cannot be granted to two of them.
 * @throws AppError `already-exists` (request_conflict) when the key came with another body before.
 */
export async function changeMoneyOnce<T extends object>(
  key: Idempotency, target: Target, decide: (agent: DocumentSnapshot<AgentDoc>) => Required<MoneyPlan<T>> | Promise<Required<MoneyPlan<T>>>,
): Promise<T & { replayed: boolean }> {
  const { operationId, fingerprint, actor } = key;
  const operation = operationRef(operationId);
  return changeMoney<T & { replayed: boolean }>(target, async (agent) => {
    const known = (await operation.get()).data();
    if (known && known.fingerprint !== fingerprint) {
      throw new AppError('already-exists', 'This idempotencyKey was used with another body. Use a new one.', { reason: 'request_conflict' });
    }
    if (known) return { result: { ...known.result as T, replayed: true } };
    const { result, write } = await decide(agent);
    return {
      result: { ...result, replayed: false },
      write(batch) {
        batch.create(operation, { fingerprint, result: result as Record<string, unknown>, actor, createdAt: FieldValue.serverTimestamp() });
        write(batch);
      },
    };
  });
}
