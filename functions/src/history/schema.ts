import { z } from 'zod';
import { dofsSchema, idSchema, momentSchema, pageSchema } from '../runtime/schema.ts';

/** How a turn of a conversation ended: as the model ended it, or cut short. */
export const spokenOutcomes = ['complete', 'length', 'refused', 'cut'] as const;

/** A turn of a session's conversation, as its members may read it again. */
export interface TurnDoc {
  turnId: string;
  /** The member who spoke. */
  by: string;
  /** ms since the epoch when it was answered; turns of a session are ordered by it, then by turnId. */
  at: number;
  /** What was said; `[sound]` where it came as sound. */
  said: string;
  /** As far as it came. */
  reply: string;
  outcome: (typeof spokenOutcomes)[number];
  costDOFs: number;
}

/** sessions/{sessionId}/turns/{page}: turns of a session whose live state is gone, oldest first. */
export interface TurnPageDoc {
  turns: TurnDoc[];
  /** `at` of the first turn: pages are read newest first by it. */
  firstAt: number;
}

/** summaries/{sessionId}: what was said in a session before the turns that its model is told of one by one. Server only. */
export interface Summary {
  text: string;
  /** ms since the epoch when the last turn that is part of it was answered. */
  through: number;
}

/** Turns that wait to become part of the summary. */
export interface Fold {
  /** The summary so far; null when there is none. */
  summary: Summary | null;
  /** ms since the epoch when the last of them was answered. */
  through: number;
}

/** A turn of the conversation as a member of the session sees it. */
export const turnView = z.object({
  turnId: idSchema,
  memberId: z.string().describe('The member who spoke.'),
  at: momentSchema.describe('When it was answered.'),
  said: z.string().describe('What was said; `[sound]` where it came as sound.'),
  reply: z.string().describe('As far as it came.'),
  outcome: z.enum(spokenOutcomes),
  costDOFs: dofsSchema.nullable().describe('null for members who do not own the session.'),
});
export type TurnView = z.input<typeof turnView>;

export const listTurnsInput = z.strictObject({ sessionId: idSchema, ...pageSchema.shape });
export const listTurnsOutput = z.object({ turns: z.array(turnView).describe('Newest first. Frames without words are no part of the conversation.'), nextCursor: z.string().nullable() });

export const exportSessionOutput = z.object({ turns: dofsSchema.describe('How many turns were sent.'), media: dofsSchema.describe('How many kept files were named.') });

/** A piece of the export; the pieces one after the other are the file. */
export const exportSessionChunk = z.object({ type: z.literal('lines'), text: z.string() });

export const deleteSessionOutput = z.object({ sessionId: idSchema });
