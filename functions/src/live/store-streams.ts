import type { ErrorCode, ErrorReason } from '../runtime/errors.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { whenLiveIsFree } from './transact.ts';

/** A piece of a reply, as members see it; the first says who asked. */
export interface Piece {
  type: 'chunk';
  text: string;
  by?: string;
}

/** The key of a piece: keys sort as the pieces came. */
export function pieceKey(index: number): string {
  return `c${String(index).padStart(4, '0')}`;
}

/** What is left to tell of a reply when its turn ends: pieces by their keys, and whether nothing was told of it before. */
export interface Rest {
  pieces: Record<string, Piece>;
  first: boolean;
}

/** What members see of a turn's end. */
export interface TurnEnd {
  turnId: string;
  /** Last item of the stream; null for a turn of which nothing is told there, since it has no text. */
  last: { type: 'done'; outcome: string; cost: number; cutBecause?: string } | { type: 'error'; by?: string; code: ErrorCode; reason: ErrorReason | null } | null;
  /** Goes before it. */
  rest: Rest;
  /** Turns whose streams go with it. */
  outdated: string[];
  /** Paths below `live/{sessionId}`. */
  live: Record<string, unknown>;
}

/** Where the last item of a stream stands: behind all pieces, and there is one. */
const endKey = 'end';

/** Tells members of a turn in progress, in one atomic update: pieces of its reply, and paths below `live/{sessionId}`. */
export async function tellTurn(sessionId: string, turnId: string, pieces: Rest['pieces'], live: object): Promise<void> {
  const busy = whenLiveIsFree(sessionId);
  if (busy) await busy;
  await liveDatabase(sessionId).ref().update({ ...below(`streams/${sessionId}/${turnId}`, pieces), ...below(`live/${sessionId}`, live) });
}

/**
 * Ends a turn's stream with what is left of it, removes those that are outdated and updates `live/`, in one atomic
 * update. A turn without a last item leaves the streams as they are. Resolves when it has been sent; `shown` when it is there.
 */
export async function endTurn(sessionId: string, { turnId, last, rest, live, outdated }: TurnEnd): Promise<{ shown: Promise<void> }> {
  const items = { ...rest.pieces, [endKey]: last };
  // A stream that begins here is written as a whole: each path that is named is sent to everybody.
  const told = rest.first ? { [turnId]: items } : below(turnId, items);
  const streams = last === null ? {} : { ...below(`streams/${sessionId}`, told), ...gone(sessionId, outdated) };
  const busy = whenLiveIsFree(sessionId);
  if (busy) await busy;
  return { shown: liveDatabase(sessionId).ref().update({ ...streams, ...below(`live/${sessionId}`, { ...live, turn: { state: 'idle' } }) }) };
}

/** Removes the streams of turns that ended long ago, in one write. */
export async function removeStreams(sessionId: string, turnIds: string[]): Promise<void> {
  if (turnIds.length > 0) await liveDatabase(sessionId).ref().update(gone(sessionId, turnIds));
}

function gone(sessionId: string, turnIds: string[]): Record<string, null> {
  return Object.fromEntries(turnIds.map((turnId) => [`streams/${sessionId}/${turnId}`, null]));
}

function below(path: string, changes: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changes).map(([key, value]) => [`${path}/${key}`, value as unknown]));
}
