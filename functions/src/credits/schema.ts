import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { dofsSchema } from '../runtime/schema.ts';

/** DOF prices of a product, whole DOFs each; pinned on the session when it starts. */
export const dofRatesSchema = z.object({
  frame: dofsSchema.describe('One frame in standard vision.'),
  highSpeedFrame: dofsSchema.describe('One frame in a high-speed vision mode.'),
  instruction: dofsSchema.describe('One instruction.'),
  audioSecond: dofsSchema.describe('One second of audio sent to the agent.'),
  inputPer1kTokens: dofsSchema.describe('1,000 tokens that the model reads, cached ones included.'),
  outputPer1kTokens: dofsSchema.describe('1,000 tokens that the model writes, reasoning included.'),
});
export type DofRates = z.infer<typeof dofRatesSchema>;

/** users/{uid}/agents/{agentInstanceId}/grants/{grantId}: one lot of DOFs. */
export interface GrantDoc {
  source: 'purchase' | 'hire' | 'trial' | 'admin' | 'refund' | 'earning';
  amount: number;
  remaining: number;
  /** Lower burns first. */
  priority: number;
  expiresAt: Timestamp | null;
  createdAt: Timestamp;
}

/** What one entry took from one lot. */
export interface LotDebit {
  grantId: string;
  amount: number;
}

/** users/{uid}/agents/{agentInstanceId}/ledger/{entryId}: immutable; the id follows from the operation. */
export interface LedgerDoc {
  type: 'grant' | 'settlement';
  /** Signed: what the balance changed by. */
  amount: number;
  balanceAfter: number;
  operationId: string;
  sessionId?: string;
  grantId?: string;
  lots: LotDebit[];
  seq: number;
  createdAt: Timestamp;
}

/** sessions/{sessionId}/checkpoints/{checkpointId}: a cumulative metering total, so that order and repeats are harmless. */
export interface CheckpointDoc {
  /** All DOFs that the session has consumed so far. */
  total: number;
  /** The session has ended: settle, then release what is left of its hold. */
  final: boolean;
  createdAt: Timestamp;
  /** TTL: when Firestore may delete the document. */
  deleteAt: Timestamp;
}
