import { accountIdSchema } from '../runtime/schema.ts';
import { notMember, requireMember, sessionClosed } from '../sessions/members.ts';
import { getSessionOf, readSession } from '../sessions/store.ts';
import type { SessionContext } from './schema.ts';
import { isMember, mirrorLive, openLive, readContext } from './store.ts';

/**
 * What a turn needs to know of its session: no Firestore read while the session is live, one to tell an ended session
 * from an unknown one; one read of the meter for members who do not own it. Who is not on the meter may be a member of
 * a session that has ended. Completes the live state of a session whose start, or whose change of members, died after its
 * commit.
 * @throws AppError `not-found` for a session that is missing or that the caller is no member of, `failed-precondition`
 *   (session_closed).
 */
export async function requireContext(uid: string, sessionId: string): Promise<SessionContext> {
  // No account of ours; as a path it could be somebody else's.
  if (!accountIdSchema.safeParse(uid).success) throw notMember();
  const context = await readContext(sessionId);
  if (context && (context.ownerId === uid || await isMember(sessionId, uid))) return context;
  const session = await getSessionOf(uid, sessionId);
  if (!session) throw notMember();
  if (session.status === 'ended') throw sessionClosed(session.closeReason ?? 'unknown');
  await openLive(session);
  // It may have changed while it was being opened; the mirror of that found nothing to change.
  const latest = await readSession(sessionId);
  if (latest) await mirrorLive(latest);
  requireMember(latest, uid);
  return { ownerId: session.ownerId, agentInstanceId: session.agentInstanceId, config: session.config, settleEveryDOFs: session.settleEveryDOFs };
}
