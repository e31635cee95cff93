import { z } from 'zod';
import type { Timestamp } from 'firebase-admin/firestore';
import { dofsSchema, idSchema, momentSchema } from '../runtime/schema.ts';
import { vendorNames } from '../providers/types.ts';
import { mediaTypes } from '../media/schema.ts';
import { dofRatesSchema, grantSources, type HoldDoc, type LotDoc } from '../credits/schema.ts';

/** Tiers of the catalogue, lowest first. */
export const ranks = ['rookie', 'veteran', 'elite', 'legend'] as const;
export type Rank = (typeof ranks)[number];

/** products/{productId}: an immutable snapshot of a catalogue product; a change is a new version. */
export const productSchema = z.object({
  name: z.string(),
  description: z.string(),
  provider: z.enum(vendorNames),
  model: z.string().optional().describe('Model that answers instead of the one in modelRouting; it must be listed in modelRouting.<provider>.models.'),
  voiceId: z.string(),
  rank: z.enum(ranks),
  toolkit: z.array(z.string()),
  hasVoiceChat: z.boolean(),
  hasCommentator: z.boolean(),
  hasMemory: z.boolean(),
  skipUnchangedBelow: z.number().min(0).max(1).optional().describe('A frame alone that differs in less than this share from the one answered last is not sent to a model. Absent: every frame is.'),
  keptMedia: z.array(z.enum(mediaTypes)).optional().describe('What of the turns is kept with the session. Absent: nothing.'),
  sessionTimeoutMinutes: z.number().positive().optional().describe('Instead of the limit of config/server: how long a session lasts at most.'),
  idleTimeoutMinutes: z.number().positive().optional().describe('Instead of the limit of config/server: how long a session stays open without a turn.'),
  specialization: z.record(z.string(), z.unknown()).nullable(),
  version: z.int(),
  dofRates: dofRatesSchema,
  active: z.boolean(),
});
export type ProductDoc = z.infer<typeof productSchema>;

/** users/{uid} */
export interface UserDoc {
  email: string | null;
  displayName: string | null;
  createdAt: Timestamp;
  /** Open sessions of this user: sessionId -> agentInstanceId. Changes only together with the session itself. */
  activeSessions: Record<string, string>;
  /** Voice tokens that were asked for on one day (UTC, `YYYY-MM-DD`), those that could not be handed out given back. Absent before the first. */
  voiceTokens?: { day: string; count: number };
}

/** users/{uid}/agents/{agentInstanceId}: ownership and the whole balance. The ledger below it says how it came about. */
export interface AgentDoc {
  agentInstanceId: string;
  ownerId: string;
  agentProductId: string;
  productVersion: number;
  purchasedAt: Timestamp;
  customName: string | null;
  /** Posted balance in DOFs: the sum of the ledger, and of what is left in the lots less debt. */
  currentDOFs: number;
  /** DOFs set aside by pending holds: the sum of `holds`. */
  heldDOFs: number;
  /** DOFs consumed beyond the lots, repaid first by the next grant. */
  debtDOFs: number;
  /** Number of ledger entries. */
  seq: number;
  /** Open lots by grant id. They stand here, not in documents of their own: one document is the whole balance, so one precondition vouches for all of it. */
  lots: Record<string, LotDoc>;
  /** Pending holds by hold id. */
  holds: Record<string, HoldDoc>;
  /** When the sweep must look at this balance: the first expiry of a lot or a hold. */
  dueAt: Timestamp | null;
  /** Balances in DOFs below which the owner is told. */
  alertThresholds: number[];
  /** Counts the changes of this document that publish an event about the agent. */
  version: number;
}

/** A lot as its owner sees it. */
export const lotView = z.object({
  grantId: idSchema,
  source: z.enum(grantSources),
  remainingDOFs: dofsSchema.describe('What is left, parts that sessions hold included.'),
  priority: z.int(),
  expiresAt: momentSchema.nullable(),
  voided: z.boolean().describe('An administrator has voided it: what sessions hold of it can still be spent, nothing else.'),
  createdAt: momentSchema,
});

export const agentView = z.object({
  agentInstanceId: idSchema,
  agentProductId: idSchema,
  purchasedAt: momentSchema,
  currentDOFs: z.int().describe('Posted balance in DOFs.'),
  heldDOFs: dofsSchema.describe('DOFs held by open sessions.'),
  availableDOFs: dofsSchema.describe('What a new hold could take now: what open lots have left and no hold has taken.'),
  debtDOFs: dofsSchema.describe('Consumed beyond the lots; the next grant repays it first.'),
  alertThresholds: z.array(dofsSchema).describe('Balances below which an agent.low_balance event is published.'),
  lots: z.array(lotView).describe('Open lots in no particular order.'),
  customName: z.string().optional(),
});
export type AgentView = z.infer<typeof agentView>;

/** The user as seed 000 shapes it: `ownedAgents` inline, although each agent is a document of its own. */
export const userView = z.object({
  userId: z.string(),
  email: z.string().nullable(),
  displayName: z.string().nullable(),
  ownedAgents: z.array(agentView),
  activeSessionId: idSchema.optional().describe('The open session; absent when none is open.'),
  activeSessions: z.array(z.object({ sessionId: idSchema, agentInstanceId: idSchema })),
});

export const setAlertThresholdsInput = z.strictObject({
  agentInstanceId: idSchema,
  alertThresholds: z.array(dofsSchema.positive()).max(5).describe('Balances in DOFs below which an agent.low_balance event is published, once per crossing. Empty: none.'),
});

export const renameAgentInput = z.strictObject({
  agentInstanceId: idSchema,
  customName: z.string().trim().min(1).max(40).regex(/^\P{Cc}*$/u, 'must not contain control characters').nullable().describe('Nickname, or null to go back to the product name.'),
});
