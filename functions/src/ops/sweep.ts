import { publishOutbox, stuckEvents } from '../events/store.ts';
import { settleCheckpoint } from '../credits/store.ts';
import { isDue } from '../live/meter.ts';
import { dueSessions, removeLive } from '../live/store.ts';
import { endSession } from '../sessions/lifecycle.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { expiredSessions, markCleanedUp, sessionsToCleanUp, unsettledSessions } from '../sessions/store.ts';

/** What one sweep did, in numbers of sessions or events. */
export interface SweepReport {
  ended: number;
  settled: number;
  republished: number;
  cleanedUp: number;
  failed: number;
}

const batchSize = 100;
/** What a trigger has not done after this long is done here. */
const overdueMs = 60_000;

/**
 * Makes up for everything that time or a crash left behind: ends idle and expired sessions and ends that were cut
 * short, settles what a dropped trigger left, publishes stuck events, removes the live state of sessions long ended.
 * Level-triggered and safe to repeat; reads only what it acts on. One failing item does not stop the others.
 */
export async function runSweep(now: () => number): Promise<SweepReport> {
  const report: SweepReport = { ended: 0, settled: 0, republished: 0, cleanedUp: 0, failed: 0 };
  const each = async <T>(items: Promise<T[]>, count: Exclude<keyof SweepReport, 'failed'>, act: (item: T) => Promise<unknown>): Promise<void> => {
    for (const result of await Promise.allSettled((await items).map(act))) report[result.status === 'fulfilled' ? count : 'failed']++;
  };
  await each(expiredSessions(now(), batchSize), 'ended', ({ sessionId }) => endSession(sessionId, 'expired', now));
  await each(dueSessions(now(), batchSize), 'ended', ({ sessionId, meter }) => endSession(sessionId, (meter.closeReason ?? 'idle') as CloseReason, now, (current) => isDue(current, now())));
  await each(unsettledSessions(now(), overdueMs, batchSize), 'settled', ({ sessionId, consumedDOFs }) => settleCheckpoint(sessionId, { total: consumedDOFs, final: true }));
  await each(stuckEvents(overdueMs, batchSize), 'republished', publishOutbox);
  await each(sessionsToCleanUp(now(), batchSize), 'cleanedUp', async ({ sessionId }) => {
    await removeLive(sessionId);
    await markCleanedUp(sessionId);
  });
  return report;
}
