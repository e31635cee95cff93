import { ageOf, publishOutbox, sessionOf, stuckEvents } from '../events/store.ts';
import type { DocumentSnapshot } from 'firebase-admin/firestore';
import type { AgentDoc } from '../agents/schema.ts';
import { dueBalances, lapse } from '../credits/store-admin.ts';
import { settleCheckpoint } from '../credits/store-settle.ts';
import { cleanUp } from '../history/cleanup.ts';
import type { Meter } from '../live/meter.ts';
import { dueSessions } from '../live/store.ts';
import { dueAction } from '../presence/due.ts';
import { pauseSession } from '../presence/store.ts';
import { endSession } from '../sessions/lifecycle.ts';
import { describeError } from '../runtime/errors.ts';
import { lines } from '../runtime/lines.ts';
import { logAbout, userTag, type Subject } from '../runtime/log.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { expiredSessions, sessionsToCleanUp, unsettledSessions } from '../sessions/store.ts';

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
  /** Age of the oldest event that was still to be published, ms; 0 when there was none. */
  outboxAgeMs: number;
}

/** What the numbers of a report count. */
type Count = Exclude<keyof SweepReport, 'failed' | 'outboxAgeMs'>;

const batchSize = 100;
/** A chore of which so much comes to nothing is left to the next sweep. */
const mostInVain = 1_000;
/** What a trigger has not done after this long is done here. */
const overdueMs = 60_000;

/**
 * Makes up for everything that time or a crash left behind: ends idle and expired sessions and ends that were cut
 * short, shows which are paused, settles what a dropped trigger left, publishes stuck events, archives what was said in
 * sessions long ended and removes their live state, and what is left of the contents of deleted ones.
 * Level-triggered and safe to repeat; reads only what it acts on. Neither a failing item nor a failing query stops the
 * rest: a full batch is followed by the next one, which reaches beyond what nothing came of.
 */
export async function runSweep(now: () => number): Promise<SweepReport> {
  const report: SweepReport = { ended: 0, paused: 0, settled: 0, lapsed: 0, republished: 0, cleanedUp: 0, failed: 0, outboxAgeMs: 0 };
  const fail = (kind: string, error: unknown, about: Subject = {}): void => {
    report.failed++;
    lines.sweepItemFailed.write({ kind, ...about, error: describeError(error) }, 'ERROR');
  };
  const each = async <T>(count: Count | ((item: T) => Count), find: (limit: number) => Promise<T[]>, { nameOf, aboutOf }: Naming<T>, act: (item: T) => Promise<unknown>): Promise<void> => {
    const inVain = new Set<string>();
    for (let limit = batchSize; ; limit = batchSize + inVain.size) {
      const found = await find(limit);
      const items = found.filter((item) => !inVain.has(nameOf(item)));
      const results = await Promise.allSettled(items.map((item) => logAbout(aboutOf(item), () => act(item))));
      for (const [index, result] of results.entries()) {
        const kind = typeof count === 'string' ? count : count(items[index]!);
        if (result.status === 'rejected') fail(kind, result.reason, aboutOf(items[index]!));
        // Null: somebody else was faster, or the session is in use again.
        if (result.status === 'fulfilled' && result.value !== null) report[kind]++;
        else inVain.add(nameOf(items[index]!));
      }
      if (found.length < limit || items.length === 0 || inVain.size > mostInVain) return;
    }
  };
  const stuck = async (limit: number): Promise<DocumentSnapshot[]> => {
    const events = await stuckEvents(overdueMs, limit);
    report.outboxAgeMs = Math.max(report.outboxAgeMs, ...events.slice(0, 1).map((event) => ageOf(event, now())));
    return events;
  };
  const chores = [
    () => each('ended', (limit) => expiredSessions(now(), limit), ofSession, ({ sessionId }) => endSession(sessionId, 'expired', now)),
    () => each<Due>(({ action }) => (action === 'pause' ? 'paused' : 'ended'), (limit) => dueMeters(now, limit), ofSession, (due) => attend(due, now)),
    () => each('settled', (limit) => unsettledSessions(now(), overdueMs, limit), ofSession, ({ endedAt, ...session }) => settleCheckpoint({ ...session, total: session.consumedDOFs, final: true, ...(endedAt ? { createdAt: endedAt } : {}) })),
    () => each('lapsed', (limit) => dueBalances(now(), limit), ofAgent, (agent) => tendBalance(agent, now)),
    () => each('republished', stuck, ofEvent, publishOutbox),
    () => each('cleanedUp', (limit) => sessionsToCleanUp(now(), limit), ofSession, (session) => cleanUp(session, now)),
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

/** How things of one kind are told apart, and what the log says of them. */
interface Naming<T> {
  nameOf: (item: T) => string;
  aboutOf: (item: T) => Subject;
}

const ofSession: Naming<{ sessionId: string }> = { nameOf: ({ sessionId }) => sessionId, aboutOf: ({ sessionId }) => ({ sessionId }) };
const ofAgent: Naming<AgentDoc> = {
  nameOf: ({ ownerId, agentInstanceId }) => `${ownerId}:${agentInstanceId}`,
  aboutOf: ({ ownerId, agentInstanceId }) => ({ agentInstanceId, user: userTag(ownerId) }),
};
const ofEvent: Naming<DocumentSnapshot> = { nameOf: ({ id }) => id, aboutOf: (event) => ({ sessionId: sessionOf(event) }) };

async function dueMeters(now: () => number, limit: number): Promise<Due[]> {
  return (await dueSessions(now(), limit)).map((due) => ({ ...due, action: dueAction(due.meter, now()) }));
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
