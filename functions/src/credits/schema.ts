import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { dofsSchema } from '../runtime/schema.ts';

/**
 * DOF prices of a product at one version, whole DOFs each; a change of price is a new version of the product. Pinned
 * on the session when it starts. Token prices count what the vendor reports: reasoning and cached tokens have their
 * own price, and a cached token is not charged as a token of its kind as well.
 */
export const dofRatesSchema = z.object({
  frame: z.object({
    standard: dofsSchema.describe('One frame in standard vision.'),
    burst: dofsSchema.describe('One frame in the burst mode of high-speed vision.'),
    continuous: dofsSchema.describe('One frame in the continuous mode of high-speed vision.'),
    detail: dofsSchema.optional().describe('One frame in detail vision. Without a price it is not offered.'),
    skipped: dofsSchema.optional().describe('One frame that had not changed and is answered without asking a model. Without a price every frame is sent to one.'),
  }),
  instruction: dofsSchema.describe('One instruction.'),
  audioSecond: dofsSchema.describe('One second of audio sent to the agent.'),
  per1kTokens: z.object({
    text: dofsSchema.describe('1,000 text tokens that the model reads.'),
    image: dofsSchema.describe('1,000 image tokens that the model reads.'),
    audio: dofsSchema.describe('1,000 audio tokens that the model reads.'),
    cached: dofsSchema.describe('1,000 tokens that the model reads from its cache, of whatever kind.'),
    output: dofsSchema.describe('1,000 tokens of the reply.'),
    reasoning: dofsSchema.describe('1,000 tokens of reasoning that are not part of the reply.'),
  }),
  per1kSpokenCharacters: dofsSchema.describe('1,000 characters of the reply that are spoken aloud.'),
  voiceMinute: dofsSchema.optional().describe('One minute in which a voice token is valid. Without a price none is minted.'),
});
export type DofRates = z.infer<typeof dofRatesSchema>;

/** Where the DOFs of a grant come from. */
export const grantSources = ['purchase', 'hire', 'trial', 'admin', 'refund', 'earning'] as const;
export type GrantSource = (typeof grantSources)[number];

/** What becomes of a lot that expires: up to `maxDOFs` go on in a new lot that lives `days` and does not roll over again. */
export interface Rollover {
  maxDOFs: number;
  days: number;
}

/** One lot of DOFs on the agent document: what a grant has left. It leaves the document with its last DOF. */
export interface LotDoc {
  source: GrantSource;
  /** DOFs left, those that open holds have taken included. */
  remaining: number;
  /** Lower burns first. */
  priority: number;
  /** Nothing new is taken from the lot from this moment on; what holds have taken stays theirs. Null: never. */
  expiresAt: Timestamp | null;
  rollover: Rollover | null;
  /** An administrator has voided it: nothing new is taken, and what holds give back is voided as well. */
  voided: boolean;
  createdAt: Timestamp;
}

/** An amount of DOFs and the lot it belongs to. */
export interface LotAmount {
  grantId: string;
  amount: number;
}

/** A pending hold on the agent document: DOFs set aside for one operation. It leaves the document when it is resolved. */
export interface HoldDoc {
  /** DOFs still held; the sum of `lots`. */
  amount: number;
  /** What it has taken from which lot, in burn order. A release gives back exactly this. */
  lots: LotAmount[];
  /** DOFs posted from it so far. */
  postedDOFs: number;
  /** The session whose own hold it is; null for others: that of an administrator's service, or of a voice token. */
  sessionId: string | null;
  /** The sweep resolves it afterwards. */
  expiresAt: Timestamp;
  createdAt: Timestamp;
  /** What the sweep does then: `post` debits all of it, for what it pays in advance cannot be taken back. Absent: it is released. */
  onExpiry?: 'post';
  /** The session in which something was bought with it, where it is not the session's own hold; the entry of its posting names it. */
  originSessionId?: string;
}

/** users/{uid}/agents/{agentInstanceId}/holds/{holdId}: how a hold was resolved. Created once, never changed. */
export interface ResolvedHoldDoc {
  holdId: string;
  state: 'posted' | 'released' | 'expired';
  postedDOFs: number;
  /** DOFs given back to the lots they were taken from. */
  releasedDOFs: number;
  lots: LotAmount[];
  sessionId: string | null;
  createdAt: Timestamp;
  resolvedAt: Timestamp;
}

/** users/{uid}/agents/{agentInstanceId}/grants/{grantId}: a grant as it was made. Immutable: what is left of it is its lot on the agent document. */
export interface GrantDoc {
  grantId: string;
  source: GrantSource;
  amount: number;
  priority: number;
  expiresAt: Timestamp | null;
  rollover: Rollover | null;
  reason: string;
  /** Account of the administrator, or `system`. */
  actor: string;
  createdAt: Timestamp;
}

/** What an entry of the ledger records. `repayment` moves DOFs from lots to debt: its amount is 0. */
export const entryTypes = ['grant', 'settlement', 'post', 'void', 'expiry', 'adjustment', 'repayment'] as const;
export type EntryType = (typeof entryTypes)[number];

/**
 * users/{uid}/agents/{agentInstanceId}/ledger/{entryId}: immutable; its id is its `operationId`, so that the same
 * operation cannot be entered twice. `amount` = sum of `lots` - `debt`.
 */
export interface LedgerDoc {
  type: EntryType;
  /** Signed: what the balance changed by. */
  amount: number;
  balanceAfter: number;
  operationId: string;
  /** Signed: what each lot changed by. */
  lots: LotAmount[];
  /** Signed: what the debt changed by. */
  debt: number;
  /** Rises by one with every entry of the agent. */
  seq: number;
  sessionId?: string;
  holdId?: string;
  grantId?: string;
  correctsEntryId?: string;
  reason?: string;
  actor?: string;
  createdAt: Timestamp;
}

/** What one turn used and cost: one line of a receipt. */
export interface UsageLine {
  requestId: string;
  turnId: string;
  /** The member who took the turn; absent for the owner. */
  by?: string;
  /** ms since the epoch. */
  at: number;
  /** DOFs of the session before and after the turn; the difference is its cost. */
  from: number;
  to: number;
  outcome: string;
  estimated: boolean;
  provider: string;
  model: string;
  input: { frame: string | null; instruction: boolean; audioSeconds: number };
  usage: Record<string, number>;
}

/** sessions/{sessionId}/checkpoints/{checkpointId}: a cumulative metering total, so that order and repeats are harmless, and the turns that led to it. */
export interface CheckpointDoc {
  sessionId: string;
  ownerId: string;
  agentInstanceId: string;
  /** All DOFs that the session has consumed so far. */
  total: number;
  /** The session has ended: settle, then release what is left of its hold. */
  final: boolean;
  /** The turns since the checkpoint before, oldest first. */
  lines: UsageLine[];
  /** The earliest and the latest moment at which one of them ended; null without lines. */
  firstAt: Timestamp | null;
  lastAt: Timestamp | null;
  createdAt: Timestamp;
}

/** operations/{operationId}: what an administrator's operation came to, so that a repeat gets the first result. Immutable. */
export interface OperationDoc {
  /** Digest of the input: another body under the same key is a conflict. */
  fingerprint: string;
  result: Record<string, unknown>;
  actor: string;
  createdAt: Timestamp;
}
