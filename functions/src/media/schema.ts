import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { idSchema, momentSchema, pageSchema } from '../runtime/schema.ts';

/** What of a session's turns can be kept: the frames that were looked at, and the replies as they were spoken (seed 004, media/{images,audio}). */
export const mediaTypes = ['images', 'audio'] as const;
export type MediaType = (typeof mediaTypes)[number];

/** sessions/{sessionId}/media/{file}: a file that was kept of a turn. The bytes are in the media storage, at `sessions/{sessionId}/{type}/{file}`. */
export interface MediaDoc {
  /** `{turnId}.{extension}`: also the id of this document. */
  file: string;
  type: MediaType;
  mimeType: string;
  bytes: number;
  turnId: string;
  /** The member whose turn it was. */
  by: string;
  createdAt: Timestamp;
}

/** How the names of kept files end. */
export const extensions = ['jpg', 'png', 'webp', 'mp3', 'wav'] as const;

/** Name of a kept file. It has no separator and one dot, so that no name can point outside its folder. */
export const fileSchema = z.string().regex(new RegExp(`^[A-Za-z0-9_-]{1,64}\\.(${extensions.join('|')})$`), 'is no name of a kept file');

/** How a kept file is named. */
export const keptMediaSchema = z.object({ type: z.enum(mediaTypes), file: fileSchema });
export type KeptMedia = z.output<typeof keptMediaSchema>;

/** A kept file as the members of its session see it. */
export const mediaView = keptMediaSchema.extend({
  mimeType: z.string(),
  bytes: z.int().nonnegative(),
  turnId: idSchema,
  memberId: z.string().describe('The member whose turn it was.'),
  createdAt: momentSchema,
});

export const getMediaInput = z.strictObject({ sessionId: idSchema, type: z.enum(mediaTypes), file: fileSchema });
export const getMediaOutput = z.object({
  url: z.string().describe('Whoever has this address can read the file until it expires.'),
  mimeType: z.string(),
  bytes: z.int().nonnegative(),
  expiresAt: momentSchema,
});

export const listMediaInput = z.strictObject({ sessionId: idSchema, ...pageSchema.shape });
export const listMediaOutput = z.object({ media: z.array(mediaView), nextCursor: z.string().nullable() });
