import { onDocumentWritten } from 'firebase-functions/firestore';
import { mirrorLive, openLive } from '../live/store.ts';
import type { SessionDoc } from './schema.ts';
import { getOwnSession, readSession } from './store.ts';

/**
 * Mirrors every committed change of a session to `live/`. For a new session it also completes the live state, should
 * startSession have died after its commit; the session is read afresh then, since a late event must not reopen one.
 */
export const mirrorSession = onDocumentWritten({ document: 'sessions/{sessionId}', retry: true }, async (event) => {
  const after = event.data?.after.data() as SessionDoc | undefined;
  if (!after) return;
  if (!event.data?.before.exists) {
    const current = await getOwnSession(after.ownerId, after.sessionId);
    if (current?.status === 'active') await openLive(current);
    // It may have ended while its live state was being opened; the mirror of that end found nothing to change then.
    const latest = current && await readSession(after.sessionId);
    if (latest) await mirrorLive(latest);
  }
  await mirrorLive(after);
});
