import { onDocumentWritten } from 'firebase-functions/firestore';
import { mirrorLive, openLive } from '../live/store.ts';
import { runTrigger } from '../runtime/trigger.ts';
import type { SessionDoc } from './schema.ts';
import { getOwnSession, readSession } from './store.ts';

/**
 * Mirrors every committed change of a session to `live/`. For a new session it also completes the live state, should
 * startSession have died after its commit; the session is read afresh then, since a late event must not reopen one.
 */
export const mirrorSession = onDocumentWritten({ document: 'sessions/{sessionId}', retry: true }, async (event) => {
  const after = event.data?.after.data() as SessionDoc | undefined;
  if (!after) return;
  await runTrigger('mirrorSession', { sessionId: after.sessionId }, async () => {
    if (!event.data?.before.exists) await completeStart(after);
    await mirrorLive(after);
  });
});

async function completeStart({ ownerId, sessionId }: SessionDoc): Promise<void> {
  const current = await getOwnSession(ownerId, sessionId);
  if (current?.status === 'active') await openLive(current);
  // It may have ended while its live state was being opened; the mirror of that end found nothing to change then.
  const latest = current && await readSession(sessionId);
  if (latest) await mirrorLive(latest);
}
