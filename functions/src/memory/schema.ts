import type { FieldValue, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import type { VendorName } from '../providers/types.ts';
import { dofsSchema, idSchema, momentSchema, pageSchema } from '../runtime/schema.ts';

/** A fact is what the agent was asked to keep, or chose to; a turn is what was said in one. */
export const memoryKinds = ['fact', 'turn'] as const;
export type MemoryKind = (typeof memoryKinds)[number];

/** Whose memories they are. */
export interface AgentPlace {
  uid: string;
  agentInstanceId: string;
}

/** Where something to be remembered comes from. */
export interface MemorySource extends AgentPlace {
  sessionId: string;
  turnId: string | null;
}

/** The model that is to embed a memory: the one of the session's config. */
export interface WantedEmbedding {
  provider: VendorName;
  model: string;
}

/** users/{uid}/agents/{agentInstanceId}/memories/{memoryId}. Changes once, when it is embedded. Server only. */
export interface MemoryDoc {
  kind: MemoryKind;
  /** Plain text, see plainText. */
  text: string;
  sessionId: string;
  turnId: string | null;
  wanted: WantedEmbedding;
  /** `provider/model` that made `embedding`, which another model's vectors cannot be compared with; null before. */
  embeddedWith: string | null;
  /** `embeddingDimension` numbers; absent before, and for ever when the model cannot be asked. */
  embedding?: ReturnType<typeof FieldValue.vector>;
  createdAt: Timestamp;
  /** TTL: when it is forgotten. Null: never. */
  expiresAt: Timestamp | null;
}

/** A memory that came to mind. */
export interface Memory {
  memoryId: string;
  kind: MemoryKind;
  text: string;
  /** Cosine distance to what was asked: 0 for the same, 1 for nothing in common. */
  distance: number;
}

/** A memory as the owner of the agent sees it. */
export const memoryView = z.object({
  memoryId: idSchema,
  kind: z.enum(memoryKinds).describe('A fact that was noted, or the summary of a turn.'),
  text: z.string(),
  sessionId: idSchema,
  turnId: idSchema.nullable(),
  createdAt: momentSchema,
  expiresAt: momentSchema.nullable().describe('When it is forgotten; null: never.'),
});

export const listMemoriesInput = z.strictObject({ agentInstanceId: idSchema, ...pageSchema.shape });
export const listMemoriesOutput = z.object({ memories: z.array(memoryView), nextCursor: z.string().nullable() });

export const deleteMemoryInput = z.strictObject({ agentInstanceId: idSchema, memoryId: idSchema });
export const deleteMemoryOutput = z.object({ memoryId: idSchema });

export const deleteAllMemoriesInput = z.strictObject({ agentInstanceId: idSchema });
export const deleteAllMemoriesOutput = z.object({ deleted: dofsSchema.describe('How many there were.') });
