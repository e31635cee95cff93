import { settleCheckpoint } from '../credits/store-settle.ts';
import { closeMeter } from '../live/drain.ts';
import { spendableLeft, type Meter } from '../live/meter.ts';
import { mirrorLive, openLive, removeLive } from '../live/store.ts';
import { AppError } from '../runtime/errors.ts';
import type { CloseReason, SessionDoc } from './schema.ts';
import { commitEnd, commitStart, type StartRequest } from './store-lifecycle.ts';

/** Clock and ids, from outside. */
export interface LifecycleDeps {
  now: () => number;
  newId: () => string;
}

/** An open session as startSession answers it. */
export interface OpenSession {
  session: SessionDoc;
  resumed: boolean;
  /** DOFs that the session may still spend. */
  remainingDOFs: number;
}

const maxEndsFirst = 25;

/**
 * Starts a session, or resumes the one that is open with the same agent. Sessions that stand in the way because
 * their time is over, their end was cut short or they are to be taken over are ended first.
 * @throws AppError as decideStart does.
 */
export async function startSession(request: Omit<StartRequest, 'sessionId' | 'now'>, deps: LifecycleDeps): Promise<OpenSession> {
  for (let ends = 0; ends < maxEndsFirst; ends++) {
    const started = await commitStart({ ...request, sessionId: deps.newId(), now: deps.now() });
    if (started.kind === 'end-first') {
      await endSession(started.session.sessionId, started.reason, deps.now);
      continue;
    }
    const { session, kind } = started;
    const meter = await openLive(session, { resume: true });
    if (meter.open) return { session, resumed: kind === 'resumed', remainingDOFs: spendableLeft(meter, meter.consumed + (meter.turn?.held ?? 0)) };
    await endSession(session.sessionId, (meter.closeReason ?? 'user') as CloseReason, deps.now);
  }
  throw new AppError('aborted', 'Sessions of this user start and end at once. Try again in a moment.', { reason: 'contention', retryAfterMs: 1_000 });
}

/**
 * Ends a session: closes its meter, lets a turn in flight post what it has, commits the final total, settles and
 * mirrors it. The triggers of that commit would do the last two as well, and do when this dies; doing them here gives
 * the DOFs that are left back before the caller starts its next session. Ending twice is harmless; the first reason
 * stays. Null when there is no such session, or when `mayClose` finds its meter in use.
 */
export async function endSession(sessionId: string, reason: CloseReason, now: () => number, mayClose?: (meter: Meter) => boolean): Promise<SessionDoc | null> {
  const closed = await closeMeter(sessionId, reason, now, mayClose);
  if (closed === 'kept') return null;
  const session = await commitEnd(sessionId, closed.reason, closed, now());
  if (!session) {
    await removeLive(sessionId);
    return null;
  }
  const settlement = await settleCheckpoint({ ...session, total: session.consumedDOFs, final: true });
  const settled = { ...session, ...settlement?.session };
  // Who has left in between is not known here: the trigger of the settlement shows it.
  await mirrorLive(settled.version > session.version + 1 ? session : settled);
  return settled;
}
