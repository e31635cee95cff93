import type { SaidRecord } from '../live/requests.ts';
import type { Position } from '../runtime/cursor.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import type { TurnDoc, TurnView } from './schema.ts';

/** The turn that a record of the live state tells of. */
export function toTurn({ turnId, by, saidAt, said, reply = '', outcome, cost = 0 }: SaidRecord, ownerId: string): TurnDoc {
  return { turnId, by: by ?? ownerId, at: saidAt, said, reply, outcome: outcome as TurnDoc['outcome'], costDOFs: cost };
}

/** A turn as a member sees it; what it cost is the owner's business. */
export function toTurnView({ turnId, by, at, said, reply, outcome, costDOFs }: TurnDoc, { ownerId }: Pick<SessionDoc, 'ownerId'>, uid: string): TurnView {
  return { turnId, memberId: by, at: new Date(at).toISOString(), said, reply, outcome, costDOFs: uid === ownerId ? costDOFs : null };
}

/** Where a list that ends with this turn goes on. */
export function positionOf({ at, turnId }: TurnDoc): Position {
  return { order: at, id: turnId };
}

/** Less than 0 for a turn that comes before a position of its session's conversation, 0 for the one at it. */
export function compareTo({ at, turnId }: TurnDoc, { order, id }: Position): number {
  return at - order || (turnId < id ? -1 : Number(turnId > id));
}

/**
 * Of the turns that a read of at most `size` has found, in their order, those that certainly lack none between them: of
 * the last ms that a full read reached, at its `edge`, there may be more.
 */
export function complete(turns: TurnDoc[], size: number, edge: 'first' | 'last'): TurnDoc[] {
  if (turns.length < size) return turns;
  const reached = turns.at(edge === 'first' ? 0 : -1)?.at;
  return turns.filter(({ at }) => at !== reached);
}

/** Most turns of one page, and about how many bytes of them: a document may hold 1 MiB, and several pages are read at a time. */
export const turnsPerPage = 50;
const bytesPerPage = 400_000;

/** Turns in pages, in their order; each page but the last is full, so that the same turns always make the same pages. */
export function pagesOf(turns: TurnDoc[]): TurnDoc[][] {
  const pages: TurnDoc[][] = [];
  let bytes = Infinity;
  for (const turn of turns) {
    const size = Buffer.byteLength(JSON.stringify(turn));
    if (bytes + size > bytesPerPage || pages.at(-1)?.length === turnsPerPage) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)!.push(turn);
    bytes += size;
  }
  return pages;
}

/** The id of the page whose first turn is the nth of its session: pages are in the order of their ids. */
export function pageIdOf(index: number): string {
  return String(index).padStart(8, '0');
}

/** The turns after the one that a client has seen, oldest first; all of them when that one is not among them. */
export function turnsSince(newestFirst: TurnDoc[], seenTurnId: string | undefined): TurnDoc[] {
  const seen = newestFirst.findIndex(({ turnId }) => turnId === seenTurnId);
  return (seen === -1 ? newestFirst : newestFirst.slice(0, seen)).toReversed();
}
