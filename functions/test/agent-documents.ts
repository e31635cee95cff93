import { Timestamp, type DocumentData } from 'firebase-admin/firestore';
import type { AgentDoc } from '../src/agents/schema.ts';
import type { GrantDoc, GrantSource, LedgerDoc, LotDoc } from '../src/credits/schema.ts';

/** A lot that an agent of a test has. */
export interface LotOptions {
  amount: number;
  /** Lower burns first. */
  priority?: number;
  source?: GrantSource;
  expiresAt?: Date | null;
  rollover?: LotDoc['rollover'];
}

/** What an agent of a test is like. */
export interface AgentOptions {
  dofs?: number;
  productId?: string;
  /** Its lots, `lot-0` and so on; one lot of `dofs` unless given. */
  lots?: LotOptions[];
  alertThresholds?: number[];
}

/** A document that is to be created. */
export interface NewDocument {
  path: string;
  data: DocumentData;
}

/** The documents of an agent whose books are in order: its balance, and the grants and entries that led to it. */
export function agentDocuments(uid: string, agentInstanceId: string, { dofs = 1_000, productId = 'gemini-rookie', lots = [{ amount: dofs }], alertThresholds = [] }: AgentOptions): NewDocument[] {
  const path = `users/${uid}/agents/${agentInstanceId}`;
  const createdAt = Timestamp.now();
  const documents: NewDocument[] = [];
  const agent: AgentDoc = {
    agentInstanceId, ownerId: uid, agentProductId: productId, productVersion: 1, purchasedAt: createdAt, customName: null,
    currentDOFs: 0, heldDOFs: 0, debtDOFs: 0, seq: 0, lots: {}, holds: {}, dueAt: null, alertThresholds, version: 1,
  };
  for (const [index, lot] of lots.filter(({ amount }) => amount > 0).entries()) {
    const grantId = `lot-${index}`;
    const { amount, priority = 10, source = 'purchase', rollover = null } = lot;
    const expiresAt = lot.expiresAt ? Timestamp.fromDate(lot.expiresAt) : null;
    agent.currentDOFs += amount;
    agent.seq += 1;
    agent.lots[grantId] = { source, remaining: amount, priority, expiresAt, rollover, voided: false, createdAt };
    if (expiresAt && (agent.dueAt === null || expiresAt.toMillis() < agent.dueAt.toMillis())) agent.dueAt = expiresAt;
    const because = { reason: 'given to a test', actor: 'system' };
    const grant: GrantDoc = { grantId, source, amount, priority, expiresAt, rollover, ...because, createdAt };
    // As everywhere, the entry that opens a lot has the lot's id.
    const entry: LedgerDoc = {
      type: 'grant', amount, balanceAfter: agent.currentDOFs, operationId: grantId, grantId, lots: [{ grantId, amount }], debt: 0, seq: agent.seq, ...because, createdAt,
    };
    documents.push({ path: `${path}/grants/${grantId}`, data: grant }, { path: `${path}/ledger/${grantId}`, data: entry });
  }
  return [...documents, { path, data: agent }];
}
