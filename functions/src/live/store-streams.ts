import type { Reference } from 'firebase-admin/database';
import type { ErrorCode, ErrorReason } from '../runtime/errors.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { whenLiveIsFree } from './transact.ts';

/** streams/{sessionId}/{turnId}: what members see of a turn's reply. */
function streamRef(sessionId: string, turnId: string): Reference {
  return liveDatabase(sessionId).ref(`streams/${sessionId}`).child(turnId);
}

/** Appends reply text to the stream that members watch; `by` says who asked, with the first piece. */
export async function appendChunk(sessionId: string, turnId: string, text: string, by: string | null): Promise<void> {
  await streamRef(sessionId, turnId).push({ type: 'chunk', text, ...(by === null ? {} : { by }) });
}

/** What members see of a turn's end. */
export interface TurnEnd {
  turnId: string;
  /** Last item of the stream; null for a turn of which nothing is told there, since it has no text. */
  last: { type: 'done'; by: string; outcome: string; cost: number; cutBecause?: string } | { type: 'error'; by?: string; code: ErrorCode; reason: ErrorReason | null } | null;
  /** Turns whose streams go with it. */
  outdated: string[];
  /** Paths below `live/{sessionId}`. */
  live: Record<string, unknown>;
}

/**
 * Ends a turn's stream, removes those that are outdated and updates `live/`, in one atomic update. A turn without a last
 * item leaves the streams as they are. Resolves when it has been sent; `shown` when it is there.
 */
export async function endTurn(sessionId: string, { turnId, last, live, outdated }: TurnEnd): Promise<{ shown: Promise<void> }> {
  const key = streamRef(sessionId, turnId).push().key;
  const shown = Object.entries({ ...live, turn: { state: 'idle' } }).map(([path, value]) => [`live/${sessionId}/${path}`, value]);
  const streams = last === null ? {} : { [`streams/${sessionId}/${turnId}/${key}`]: last, ...gone(sessionId, outdated) };
  const busy = whenLiveIsFree(sessionId);
  if (busy) await busy;
  return { shown: liveDatabase(sessionId).ref().update({ ...streams, ...Object.fromEntries(shown) as Record<string, unknown> }) };
}

/** Removes the streams of turns that ended long ago, in one write. */
export async function removeStreams(sessionId: string, turnIds: string[]): Promise<void> {
  if (turnIds.length > 0) await liveDatabase(sessionId).ref().update(gone(sessionId, turnIds));
}

function gone(sessionId: string, turnIds: string[]): Record<string, null> {
  return Object.fromEntries(turnIds.map((turnId) => [`streams/${sessionId}/${turnId}`, null]));
}
