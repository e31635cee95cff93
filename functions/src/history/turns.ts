import { firstTurns, lastTurns } from '../live/store-turns.ts';
import type { Position } from '../runtime/cursor.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { compareTo, complete, positionOf, toTurn, turnsSince } from './history.ts';
import type { TurnDoc } from './schema.ts';
import { archivedTurnsAfter, archivedTurnsBefore } from './store-pages.ts';

/** Whose turns are read. */
type Owned = Pick<SessionDoc, 'sessionId' | 'ownerId'>;

/**
 * The turns of a session before a position, newest first, at most `count`: from its live state, or from its pages once
 * that is gone. One query of the Realtime Database; then, where it finds nothing, the pages that are needed.
 */
export async function turnsBefore(session: Owned & Pick<SessionDoc, 'status'>, count: number, before: Position | null): Promise<TurnDoc[]> {
  const live = await liveTurnsBefore(session, count, before);
  return live ?? (session.status === 'active' ? [] : archivedTurnsBefore(session.sessionId, count, before));
}

/** Null when the live state has no turn up to the position, not even the one at it. */
async function liveTurnsBefore({ sessionId, ownerId }: Owned, count: number, before: Position | null): Promise<TurnDoc[] | null> {
  // Beside those that are asked for it finds the one at the position, and one that may stand for others of its ms.
  for (let size = count + 2; ; size *= 2) {
    const found = (await lastTurns(sessionId, size, before ? { to: before.order } : {})).map((record) => toTurn(record, ownerId));
    if (found.length === 0) return null;
    const turns = complete(found, size, 'first').filter((turn) => before === null || compareTo(turn, before) < 0).reverse();
    if (turns.length >= count || found.length < size) return turns.slice(0, count);
  }
}

/** Most turns that a client is told of when it resumes a session. */
const mostMissed = 20;

/** The last turns of an open session, oldest first: those after the one that a client has seen, or as many as it is told of at most. One query. */
export async function missedTurns(session: Owned, seenTurnId: string | undefined): Promise<TurnDoc[]> {
  return turnsSince(await liveTurnsBefore(session, mostMissed, null) ?? [], seenTurnId);
}

/** Turns that are read of the live state at a time. */
const turnsPerRead = 50;

/** All turns of the live state in their order, some at a time. */
export async function* liveTurns({ sessionId, ownerId }: Owned): AsyncGenerator<TurnDoc[]> {
  for (let from = 1, size = turnsPerRead; ;) {
    const found = (await firstTurns(sessionId, size, from)).map((record) => toTurn(record, ownerId));
    const turns = complete(found, size, 'last');
    if (turns.length > 0) yield turns;
    if (found.length < size) return;
    size = turns.length > 0 ? turnsPerRead : size * 2;
    from = found.at(-1)!.at;
  }
}

/** All turns of a session in their order, some at a time: those of its live state, then those that only its pages have. */
export async function* allTurns(session: Owned): AsyncGenerator<TurnDoc[]> {
  let last: Position | null = null;
  for await (const turns of liveTurns(session)) {
    yield turns;
    last = positionOf(turns.at(-1)!);
  }
  for await (const turns of archivedTurnsAfter(session.sessionId, last)) if (turns.length > 0) yield turns;
}
