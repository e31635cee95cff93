import { Timestamp } from 'firebase-admin/firestore';
import { commitIfUnchanged, deleteAllOf, unchanged, type Plan } from '../runtime/commit.ts';
import { isDeleted, requireOwner } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef, writeEvent } from '../sessions/store.ts';
import { tombstoneOf } from './deletion.ts';

/**
 * Makes an ended session a tombstone in one atomic commit with its event: nobody is a member of it any more, and the
 * sweep finishes what is left to be deleted. For its former owner a repeat changes nothing. Answers the tombstone.
 * @throws AppError as requireOwner does, `failed-precondition` (session_open), `aborted` (contention).
 */
export async function commitDeletion(uid: string, sessionId: string, now: number): Promise<SessionDoc> {
  const ref = sessionRef(sessionId);
  return commitIfUnchanged(async (): Promise<Plan<SessionDoc>> => {
    const snapshot = await ref.get();
    const found = snapshot.data();
    if (found && isDeleted(found) && found.ownerId === uid) return { result: found };
    const session = requireOwner(found, uid);
    const changes = tombstoneOf(session, Timestamp.fromMillis(now));
    const tombstone = { ...session, ...changes };
    return { result: tombstone, write: (batch) => {
      batch.update(ref, { ...changes }, unchanged(snapshot));
      writeEvent(batch, tombstone, 'session.deleted', {});
    } };
  });
}

/** Deletes the invites of a session, the pages of what was said in it, and what is known of its import. */
export async function deleteContents(sessionId: string): Promise<void> {
  for (const collection of ['invites', 'turns', 'imports']) await deleteAllOf(sessionRef(sessionId).collection(collection));
}
