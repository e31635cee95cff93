import { getSessionOf } from '../sessions/store.ts';
import { notMember, sessionClosed } from './lease.ts';
import type { SessionContext } from './schema.ts';
import { isMember, openLive, readContext } from './store.ts';

/**
 * What a turn needs to know of its session: no Firestore read while the session is live, one to tell an ended session
 * from an unknown one; one read of the meter for members who do not own it. Completes the live state of a session whose
 * start died after its commit.
 * @throws AppError `not-found` for a session that is missing or that the caller is no member of, `failed-precondition`
 *   (session_closed).
 */
export async function requireContext(uid: string, sessionId: string): Promise<SessionContext> {
  const context = await readContext(sessionId);
  if (context && (context.ownerId === uid || await isMember(sessionId, uid))) return context;
  const session = context ? null : await getSessionOf(uid, sessionId);
  if (!session) throw notMember();
  if (session.status === 'ended') throw sessionClosed(session.closeReason ?? 'unknown');
  await openLive(session);
  return { ownerId: session.ownerId, agentInstanceId: session.agentInstanceId, config: session.config, settleEveryDOFs: session.settleEveryDOFs };
}
