import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen, type CircuitBreakerPolicy, type IBackoff } from 'cockatiel';
import { AppError } from '../runtime/errors.ts';
import { now } from '../runtime/system.ts';

/** Failures in a row after which a model rests, unless it is told otherwise. */
export const failuresToOpen = 5;
/** How long it rests before one call may probe it. */
export const restMs = 30_000;
/** What others are told to wait while a probe is under way. */
const probeMs = 1_000;
/** Most models that are remembered; the one unused for the longest is forgotten first. */
const mostBreakers = 100;

/** The circuit breaker of one model: after too many failures in a row it rests, then one call probes it. */
export interface Breaker {
  /** ms until the model may be asked; 0: now. */
  restMs(): number;
  /** Makes a call that `restMs` has just allowed, and remembers whether the vendor failed. Throws what the call throws. */
  run<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** The breakers of one process, by `provider/model` and the failures in a row that open them. */
export interface Breakers {
  of(key: string, failures?: number): Breaker;
}

/** A call that was given up from our side: it says nothing about the vendor. */
class Abandoned extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super('abandoned');
    this.error = error;
  }
}

/** Breakers that are all closed. Kept for the life of a process. */
export function newBreakers(): Breakers {
  const kept = new Map<string, Breaker>();
  return {
    of(model, failures = failuresToOpen) {
      const key = `${model} ${failures}`;
      const breaker = kept.get(key) ?? newBreaker(failures);
      kept.delete(key);
      kept.set(key, breaker);
      if (kept.size > mostBreakers) kept.delete(kept.keys().next().value!);
      return breaker;
    },
  };
}

function newBreaker(failures: number): Breaker {
  let openUntil = 0;
  // The library reads Date.now; this rests by our own clock.
  const rest = (): IBackoff<unknown> => {
    const until = now() + restMs;
    openUntil = until;
    return { get duration() { return now() < until ? Infinity : -Infinity; }, next: rest };
  };
  const policy: CircuitBreakerPolicy = circuitBreaker(
    // A probe that nobody waited for has proved nothing, so the model goes on resting.
    handleWhen((error) => vendorFailed(error) || (error instanceof Abandoned && policy.state === CircuitState.HalfOpen)),
    { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: { next: rest } },
  );
  return {
    restMs() {
      if (policy.state === CircuitState.HalfOpen) return probeMs;
      return policy.state === CircuitState.Open ? Math.max(0, openUntil - now()) : 0;
    },
    async run(act, signal) {
      try {
        return await policy.execute(async () => {
          try {
            return await act();
          } catch (error) {
            throw givenUp(signal) ? new Abandoned(error) : error;
          }
        });
      } catch (error) {
        throw error instanceof Abandoned ? error.error : error;
      }
    },
  };
}

function vendorFailed(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'unavailable' || error.code === 'deadline-exceeded');
}

/** Whether we ended the call for a reason of our own. A deadline is none: the vendor had its time. */
function givenUp({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof AppError && reason.code === 'deadline-exceeded');
}
