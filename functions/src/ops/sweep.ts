import { publishOutbox, stuckEvents } from '../events/store.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { dueBalances, lapse } from '../credits/store-admin.ts';
import { settleCheckpoint } from '../credits/store-settle.ts';
import type { Meter } from '../live/meter.ts';
import { dueSessions, removeLive } from '../live/store.ts';
import { dueAction } from '../presence/due.ts';
import { pauseSession } from '../presence/store.ts';
import { endSession } from '../sessions/lifecycle.ts';
import { describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { expiredSessions, markCleanedUp, sessionsToCleanUp, unsettledSessions } from '../sessions/store.ts';

/** What one sweep did, in numbers of sessions or events. */
export interface SweepReport {
  ended: number;
  /** Sessions whose owner is away for longer than the grace. */
  paused: number;
  settled: number;
  /** Balances whose expired lots and holds were resolved. */
  lapsed: number;
  republished: number;
  cleanedUp: number;
  failed: number;
}

/** What the numbers of a report count. */
type Count = Exclude<keyof SweepReport, 'failed'>;

const batchSize = 100;
/** What a trigger has not done after this long is done here. */
const overdueMs = 60_000;

/**
 * Makes up for everything that time or a crash left behind: ends idle and expired sessions and ends that were cut
 * short, shows which are paused, settles what a dropped trigger left, publishes stuck events, removes the live state of
 * sessions long ended.
 * Level-triggered and safe to repeat; reads only what it acts on. Neither a failing item nor a failing query stops the
 * rest; a full batch is followed by the next one as long as something comes of it.
 */
export async function runSweep(now: () => number): Promise<SweepReport> {
  const report: SweepReport = { ended: 0, paused: 0, settled: 0, lapsed: 0, republished: 0, cleanedUp: 0, failed: 0 };
  const fail = (kind: string, error: unknown): void => {
    report.failed++;
    log.write({ severity: 'ERROR', message: 'sweep item failed', kind, error: describeError(error) });
  };
  const each = async <T>(count: Count | ((item: T) => Count), find: () => Promise<T[]>, act: (item: T) => Promise<unknown>): Promise<void> => {
    for (let done = batchSize; done >= batchSize;) {
      const items = await find();
      const results = await Promise.allSettled(items.map(act));
      done = 0;
      for (const [index, result] of results.entries()) {
        const kind = typeof count === 'string' ? count : count(items[index]!);
        if (result.status === 'rejected') fail(kind, result.reason);
        // Null: somebody else was faster, or the session is in use again.
        else if (result.value !== null) [report[kind], done] = [report[kind] + 1, done + 1];
      }
    }
  };
  const chores = [
    () => each('ended', () => expiredSessions(now(), batchSize), ({ sessionId }) => endSession(sessionId, 'expired', now)),
    () => each(({ action }) => (action === 'pause' ? 'paused' : 'ended'), () => dueMeters(now), (due) => attend(due, now)),
    () => each('settled', () => unsettledSessions(now(), overdueMs, batchSize), ({ sessionId, consumedDOFs }) => settleCheckpoint(sessionId, { total: consumedDOFs, final: true })),
    () => each('lapsed', () => dueBalances(now(), batchSize), (agent) => tendBalance(agent, now)),
    () => each('republished', () => stuckEvents(overdueMs, batchSize), publishOutbox),
    () => each('cleanedUp', () => sessionsToCleanUp(now(), batchSize), ({ sessionId }) => removeLive(sessionId).then(() => markCleanedUp(sessionId))),
  ];
  for (const chore of chores) await chore().catch((error: unknown) => fail('query', error));
  return report;
}

/** A session that the sweep must look at, and what it has to do. */
interface Due {
  sessionId: string;
  meter: Meter;
  action: ReturnType<typeof dueAction>;
}

async function dueMeters(now: () => number): Promise<Due[]> {
  return (await dueSessions(now(), batchSize)).map((due) => ({ ...due, action: dueAction(due.meter, now()) }));
}

/** Does it, if it is still to be done. Null when nothing came of it. */
function attend({ sessionId, meter, action }: Due, now: () => number): Promise<unknown> {
  if (action === 'wait') return Promise.resolve(null);
  return action === 'pause' ? pauseSession(sessionId, now) : endSession(sessionId, closeReasonOf(meter), now, (current) => dueAction(current, now()) === 'end');
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
