import type { Timestamp } from 'firebase-admin/firestore';
import type { TurnDoc } from '../history/schema.ts';
import type { MediaDoc } from '../media/schema.ts';

/** A file that was kept of an imported session; `createdAt` in ms since the epoch. */
export type ImportedMedia = Omit<MediaDoc, 'createdAt'> & { createdAt: number };

/** A session of another system as it is to be stored here: all of it but the config. Moments in ms since the epoch. */
export interface ImportedSession {
  sessionId: string;
  ownerId: string;
  /** The other members, by account, in the order of their ids. */
  playerIds: string[];
  name: string | null;
  startedAt: number;
  endedAt: number;
  /** Oldest first; each later than the one before. */
  turns: TurnDoc[];
  /** In the order of their names. */
  media: ImportedMedia[];
}

/** sessions/{sessionId}/imports/legacy: what was imported, so that the same again is known from something else. */
export interface ImportDoc {
  /** digestOf what was imported. */
  digest: string;
  /** The session's version then: a higher one says that somebody has changed the session here since. */
  version: number;
  importedAt: Timestamp;
}

/**
 * What an import comes to: the session is new, or is to replace what was imported before and nobody has touched; or
 * nothing is written, since it is here already, has been changed on both sides, was deleted by its owner, or another
 * session has its id.
 */
export type ImportVerdict = 'create' | 'replace' | 'unchanged' | 'differs' | 'deleted' | 'taken';

/** What became of an import. */
export type ImportOutcome = 'imported' | Exclude<ImportVerdict, 'create' | 'replace'>;
