import { AppError } from '../runtime/errors.ts';
import { after } from '../runtime/system.ts';
import { notMember, sessionClosed } from '../sessions/members.ts';
import type { Meter } from './meter.ts';
import { turnAt } from './queue.ts';
import { watchMeter } from './store.ts';

/** The meter as a turn sees it while it waits and while it runs. */
export interface LeaseWatch {
  /** Aborted when the session closes, somebody else has resolved the lease or the member who asked is removed. */
  signal: AbortSignal;
  /**
   * Resolves when a turn that waits should try to take the lease: as far as can be seen it is next, it has lost its
   * place, or it is `until`, ms since the epoch. @throws AppError as `signal` says, and `aborted` (turn_in_progress) once
   * the caller is gone.
   */
  untilTurn: (until: number, callerGone: AbortSignal) => Promise<void>;
  stop: () => void;
}

/**
 * Watches the meter for a turn, with one listener from before it takes the lease until it is posted. The listener also
 * keeps the meter at hand, so that taking and posting the lease cost one round trip each. `now` answers ms since the epoch.
 */
export function watchLease(sessionId: string, fence: string, now: () => number): LeaseWatch {
  const stopped = new AbortController();
  let holding = false;
  let latest: Meter | null | undefined;
  let look = (): void => undefined;
  const stop = watchMeter(sessionId, (meter) => {
    latest = meter;
    if (meter?.turn?.fence === fence) holding = true;
    else if (holding) stopped.abort(lostLease());
    const mine = meter?.turn?.fence === fence ? meter.turn : meter?.queue?.[fence];
    if (meter && !meter.open) stopped.abort(sessionClosed(meter.closeReason ?? 'unknown'));
    if (mine?.by !== undefined && !Object.hasOwn(meter?.members ?? {}, mine.by)) stopped.abort(notMember());
    look();
  });
  const untilTurn = (until: number, callerGone: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
    const gone = AbortSignal.any([stopped.signal, callerGone]);
    let cancel = (): void => undefined;
    const end = (): void => {
      cancel();
      gone.removeEventListener('abort', leave);
      look = () => undefined;
    };
    const leave = (): void => {
      end();
      reject(stopped.signal.aborted ? stopped.signal.reason as AppError : turnInProgress(0));
    };
    look = () => {
      cancel();
      const at = Math.min(until, nextTry(latest, fence));
      if (at > now()) {
        cancel = after(at - now(), look);
      } else {
        end();
        resolve();
      }
    };
    gone.addEventListener('abort', leave);
    if (gone.aborted) leave();
    else look();
  });
  return { signal: stopped.signal, untilTurn, stop };
}

/** When a turn that waits should try, in ms since the epoch: at once if it has lost its place to somebody who took it for dead. */
function nextTry(meter: Meter | null | undefined, fence: string): number {
  if (meter === undefined) return Infinity;
  return meter?.queue?.[fence] ? turnAt(meter, fence) : 0;
}

/** The answer while another turn runs or waits; `retryAfterMs` is what the meter says of it. */
export function turnInProgress(retryAfterMs: number): AppError {
  return new AppError('aborted', 'Another turn of this session is in progress.', { reason: 'turn_in_progress', retryAfterMs: Math.min(retryAfterMs, 1_000) });
}

/**
 * The turn took so long that somebody else resolved its lease, at the price on its record: usually that of the input.
 * Asking again with the same requestId answers what was charged.
 */
export function lostLease(): AppError {
  return new AppError('deadline-exceeded', 'The turn took too long and was closed. Repeat the request to see what it cost.', { reason: 'provider_timeout' });
}
