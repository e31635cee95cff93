import type { Timestamp } from 'firebase-admin/firestore';

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
