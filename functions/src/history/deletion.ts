import { AppError } from '../runtime/errors.ts';
import type { SessionDoc } from '../sessions/schema.ts';

/** What a deletion changes of a session's document. */
type Tombstone = Pick<SessionDoc, 'deletedAt' | 'members' | 'memberIds' | 'memberCaps' | 'removedAt' | 'name' | 'gameContext' | 'cleanupAt' | 'version'>;

/**
 * What is left of a session that is deleted `now`: what it cost, and nobody who may see it.
 * @throws AppError `failed-precondition` (session_open) for one that has not ended.
 */
export function tombstoneOf({ status, version }: SessionDoc, now: NonNullable<SessionDoc['deletedAt']>): Tombstone {
  if (status !== 'ended') throw new AppError('failed-precondition', 'This session is open. End it first.', { reason: 'session_open' });
  return { deletedAt: now, members: {}, memberIds: [], memberCaps: {}, removedAt: {}, name: null, gameContext: null, cleanupAt: now, version: version + 1 };
}

/** How long after the end of its session a function that held a turn of it may still write; longer than any function runs for a turn. */
const stragglersMs = 10 * 60_000;

/** When to delete the contents of a deleted session once more (ms since the epoch); null when nobody can have written any since `now`. */
export function purgeAgainAt({ endedAt }: Pick<SessionDoc, 'endedAt'>, now: number): number | null {
  const last = (endedAt?.toMillis() ?? 0) + stragglersMs;
  return last > now ? last : null;
}
