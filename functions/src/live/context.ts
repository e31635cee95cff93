import { AppError } from '../runtime/errors.ts';
import { getOwnSession } from '../sessions/store.ts';
import { sessionClosed } from './lease.ts';
import type { SessionContext } from './schema.ts';
import { openLive, readContext } from './store.ts';

/**
 * What a turn needs to know of its session: no Firestore read while the session is live, one to tell an ended session
 * from an unknown one. Completes the live state of a session whose start died after its commit.
 * @throws AppError `not-found` for a missing or foreign session, `failed-precondition` (session_closed).
 */
export async function requireContext(uid: string, sessionId: string): Promise<SessionContext> {
  const context = await readContext(sessionId);
  if (context?.ownerId === uid) return context;
  const session = context ? null : await getOwnSession(uid, sessionId);
  if (!session) throw new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
  if (session.status === 'ended') throw sessionClosed(session.closeReason ?? 'unknown');
  await openLive(session);
  return { ownerId: session.ownerId, agentInstanceId: session.agentInstanceId, config: session.config, settleEveryDOFs: session.settleEveryDOFs };
}
