import { removeLive } from '../live/store.ts';
import { removeMedia } from '../media/store.ts';
import { forgetSession } from '../memory/store.ts';
import { isDeleted } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { markCleanedUp } from '../sessions/store.ts';
import { archiveTurns } from './archive.ts';
import { purgeAgainAt } from './deletion.ts';
import { deleteContents } from './store-delete.ts';

/**
 * Does what is left to be done about a session that is over: archives what was said in one that has ended, then removes
 * its live state; deletes the contents of one that was deleted. Every step may be repeated, and the last one notes that
 * it is done. `now` in ms. Null when somebody else was faster.
 * @throws AppError `aborted` (contention).
 */
export async function cleanUp(session: SessionDoc, now: () => number): Promise<SessionDoc | null> {
  if (isDeleted(session)) return finishDeletion(session, now);
  if (!await archiveTurns(session)) return null;
  await removeLive(session.sessionId);
  return markCleanedUp(session);
}

/** Deletes the contents of a session that was deleted, and notes that it is done. Null when the session is gone. */
export async function finishDeletion(session: SessionDoc, now: () => number): Promise<SessionDoc | null> {
  await purgeContents(session);
  return markCleanedUp(session, purgeAgainAt(session, now()));
}

/** Deletes what was said and shown in a session: live state, invites, turns, kept files, and what the agent remembers of it. Safe to repeat. */
async function purgeContents({ sessionId, ownerId, agentInstanceId }: SessionDoc): Promise<void> {
  await removeLive(sessionId);
  await deleteContents(sessionId);
  await removeMedia(sessionId);
  await forgetSession({ uid: ownerId, agentInstanceId }, sessionId);
}
