import { abortFailure } from '../providers/failures.ts';
import { AppError } from '../runtime/errors.ts';
import { after } from '../runtime/system.ts';
import type { TurnAbout, TurnIdentity } from './abilities.ts';
import type { Stops } from './endings.ts';

/** What ends a turn from outside. */
export interface Timed {
  about: TurnIdentity;
  /** Aborted when the caller has gone. */
  callerGone: AbortSignal;
  /** Aborted when the session closes or the lease is lost. */
  closed: AbortSignal;
}

/** The time that a turn has, and what ends it. */
export interface TurnTime {
  about: TurnAbout;
  /** Ends the turn because it has used up what is held. */
  spend: () => void;
  stops: () => Stops;
  cancel: () => void;
}

/** Starts the time of a turn. `now` answers ms since the epoch. */
export function timeOf({ about, callerGone, closed }: Timed, now: () => number): TurnTime {
  const [timeout, spent] = [new AbortController(), new AbortController()];
  const turnMs = about.config.limits.turnTimeoutSeconds * 1000;
  return {
    about: { ...about, deadlineAt: now() + turnMs, signal: AbortSignal.any([callerGone, timeout.signal, closed, spent.signal]) },
    spend: () => spent.abort(new AppError('resource-exhausted', 'The DOFs held for this turn are used up.', { reason: 'dofs_exhausted' })),
    stops: () => ({ spent: spent.signal.aborted, callerGone: callerGone.aborted, late: timeout.signal.aborted, closed: closed.aborted }),
    cancel: after(turnMs, () => timeout.abort(new AppError('deadline-exceeded', 'The model did not finish in time.', { reason: 'provider_timeout' }))),
  };
}

/** Waits for work that does not listen to the signal itself, but not past it. @throws AppError why the turn was ended. */
export function inTime<T>(work: Promise<T>, { signal, config }: TurnAbout): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortFailure(config.provider, signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
