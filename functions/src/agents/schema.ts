import { z } from 'zod';
import type { Timestamp } from 'firebase-admin/firestore';
import { dofsSchema, idSchema, momentSchema } from '../runtime/schema.ts';
import { dofRatesSchema } from '../credits/schema.ts';

/** Tiers of the catalogue, lowest first. */
export const ranks = ['rookie', 'veteran', 'elite', 'legend'] as const;
export type Rank = (typeof ranks)[number];

/** products/{productId}: an immutable snapshot of a catalogue product; a change is a new version. */
export const productSchema = z.object({
  name: z.string(),
  description: z.string(),
  provider: z.enum(['gemini', 'google', 'openai']),
  voiceId: z.string(),
  rank: z.enum(ranks),
  toolkit: z.array(z.string()),
  hasVoiceChat: z.boolean(),
  hasCommentator: z.boolean(),
  hasMemory: z.boolean(),
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
}

/** users/{uid}/agents/{agentInstanceId}: ownership and balance. Every change of its money rewrites this document. */
export interface AgentDoc {
  agentInstanceId: string;
  ownerId: string;
  agentProductId: string;
  productVersion: number;
  purchasedAt: Timestamp;
  customName: string | null;
  /** Posted balance in DOFs: the sum of the ledger, and of what is left in the lots less debt. */
  currentDOFs: number;
  /** DOFs held by open sessions. */
  heldDOFs: number;
  /** DOFs consumed beyond the lots, repaid first by the next grant. */
  debtDOFs: number;
  /** Number of ledger entries. */
  seq: number;
  /** Counts the changes of this document that publish an event about the agent. */
  version: number;
}

export const agentView = z.object({
  agentInstanceId: idSchema,
  agentProductId: idSchema,
  purchasedAt: momentSchema,
  currentDOFs: z.int().describe('Posted balance in DOFs.'),
  heldDOFs: dofsSchema.describe('DOFs held by open sessions.'),
  availableDOFs: dofsSchema.describe('What a new session could hold: current less held.'),
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

export const renameAgentInput = z.strictObject({
  agentInstanceId: idSchema,
  customName: z.string().trim().min(1).max(40).regex(/^\P{Cc}*$/u, 'must not contain control characters').nullable().describe('Nickname, or null to go back to the product name.'),
});
