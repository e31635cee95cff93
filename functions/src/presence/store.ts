import { readContext, updateMeter } from '../live/store.ts';
import { keepShowing, showPause } from '../live/store-pause.ts';
import { transactLive } from '../live/transact.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { dueAction, pauseShown } from './due.ts';
import { ownerBack, ownerGone } from './pause.ts';
import { isOnline, surplus, withOnline, type Connections, type LivePresence } from './presence.ts';

/**
 * Brings everything that follows from a member's connections in line with them, as they are now: what `live/` shows of
 * the member and, for the owner, whether the meter counts it as away. Of too many connections the ones silent the longest
 * are removed. Events may come late, twice and in any order. A session without live state gets none.
 */
export async function followPresence(sessionId: string, uid: string, now: () => number): Promise<void> {
  const context = await readContext(sessionId);
  if (!context) return;
  await keepShowing(async () => isOnline(await readConnections(sessionId, uid), now()), async (online) => {
    await transactLive<LivePresence>(sessionId, (current) => current && withOnline(current, uid, online));
    if (uid !== context.ownerId) return;
    await updateMeter(sessionId, (meter) => (meter ? online ? ownerBack(meter) : ownerGone(meter, context.config.limits, now()) : undefined));
    if (online) await showPause(sessionId, now);
  });
}

/** The connections of a member, of which those that are too many are removed first. */
async function readConnections(sessionId: string, uid: string): Promise<Connections> {
  const ref = liveDatabase(sessionId).ref(`presence/${sessionId}/${uid}`);
  const connections = (await ref.get()).val() as Connections;
  const tooMany = surplus(connections);
  if (tooMany.length > 0) await ref.update(Object.fromEntries(tooMany.map((id) => [id, null])));
  return connections;
}

/** Members of a session who are connected. One read; none for a session that has ended. */
export async function onlineMembers({ sessionId, status, memberIds }: SessionDoc, now: number): Promise<string[]> {
  if (status === 'ended') return [];
  const presence = (await liveDatabase(sessionId).ref(`presence/${sessionId}`).get()).val() as Record<string, Connections> | null;
  return memberIds.filter((uid) => isOnline(presence?.[uid] ?? null, now));
}

/**
 * Shows that a session is paused, and lets it be due again when it ends. Asks for the owner's connections before: the
 * event of a return may have been lost. Null when the session is not paused any more.
 */
export async function pauseSession(sessionId: string, now: () => number): Promise<number | null> {
  const context = await readContext(sessionId);
  if (context) await followPresence(sessionId, context.ownerId, now);
  const since = await showPause(sessionId, now);
  await updateMeter(sessionId, (meter) => (meter && dueAction(meter, now()) === 'pause' ? pauseShown(meter) : undefined));
  return since;
}
