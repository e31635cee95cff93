import { publishOutbox, stuckEvents } from '../events/store.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { dueBalances, lapse } from '../credits/store-admin.ts';
import { settleCheckpoint } from '../credits/store-settle.ts';
import { cleanUp } from '../history/cleanup.ts';
import { isDue, type Meter } from '../live/meter.ts';
import { dueSessions } from '../live/store.ts';
import { endSession } from '../sessions/lifecycle.ts';
import { describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { expiredSessions, sessionsToCleanUp, unsettledSessions } from '../sessions/store.ts';

/** What one sweep did, in numbers of sessions or events. */
export interface SweepReport {
  ended: number;
  settled: number;
  /** Balances whose expired lots and holds were resolved. */
  lapsed: number;
  republished: number;
  cleanedUp: number;
  failed: number;
}

const batchSize = 100;
/** What a trigger has not done after this long is done here. */
const overdueMs = 60_000;

/**
 * Makes up for everything that time or a crash left behind: ends idle and expired sessions and ends that were cut
 * short, settles what a dropped trigger left, publishes stuck events, archives what was said in sessions
 * long ended and removes their live state, and what is left of the contents of deleted ones.
 * Level-triggered and safe to repeat; reads only what it acts on. Neither a failing item nor a failing query stops the
 * rest; a full batch is followed by the next one as long as something comes of it.
 */
export async function runSweep(now: () => number): Promise<SweepReport> {
  const report: SweepReport = { ended: 0, settled: 0, lapsed: 0, republished: 0, cleanedUp: 0, failed: 0 };
  const fail = (kind: string, error: unknown): void => {
    report.failed++;
    log.write({ severity: 'ERROR', message: 'sweep item failed', kind, error: describeError(error) });
  };
  const each = async <T>(count: Exclude<keyof SweepReport, 'failed'>, find: () => Promise<T[]>, act: (item: T) => Promise<unknown>): Promise<void> => {
    for (let done = batchSize; done >= batchSize;) {
      const results = await Promise.allSettled((await find()).map(act));
      // Null: somebody else was faster, or the session is in use again.
      done = results.filter((result) => result.status === 'fulfilled' && result.value !== null).length;
      report[count] += done;
      for (const result of results) if (result.status === 'rejected') fail(count, result.reason);
    }
  };
  const chores = [
    () => each('ended', () => expiredSessions(now(), batchSize), ({ sessionId }) => endSession(sessionId, 'expired', now)),
    () => each('ended', () => dueSessions(now(), batchSize), ({ sessionId, meter }) => endSession(sessionId, closeReasonOf(meter), now, (current) => isDue(current, now()))),
    () => each('settled', () => unsettledSessions(now(), overdueMs, batchSize), ({ sessionId, consumedDOFs }) => settleCheckpoint(sessionId, { total: consumedDOFs, final: true })),
    () => each('lapsed', () => dueBalances(now(), batchSize), (agent) => tendBalance(agent, now)),
    () => each('republished', () => stuckEvents(overdueMs, batchSize), publishOutbox),
    () => each('cleanedUp', () => sessionsToCleanUp(now(), batchSize), (session) => cleanUp(session, now)),
  ];
  for (const chore of chores) await chore().catch((error: unknown) => fail('query', error));
  return report;
}

/** Resolves what is due on a balance: sessions first, whose end releases their holds, then lots and the other holds. Null when nothing came of it. */
async function tendBalance({ ownerId, agentInstanceId, holds }: AgentDoc, now: () => number): Promise<unknown> {
  const overdue = Object.values(holds).flatMap(({ sessionId, expiresAt }) => (sessionId !== null && expiresAt.toMillis() <= now() ? [sessionId] : []));
  const orphaned: string[] = [];
  for (const sessionId of overdue) {
    const ended = await endSession(sessionId, 'expired', now);
    if (!ended || ended.settlement === 'done') orphaned.push(sessionId);
  }
  // A hold that its own session has just resolved is gone by now.
  return lapse({ userId: ownerId, agentInstanceId }, orphaned);
}

/** A meter that is closed already keeps its reason; an open one that is due is idle. */
function closeReasonOf(meter: Meter): CloseReason {
  return (meter.closeReason ?? 'idle') as CloseReason;
}
