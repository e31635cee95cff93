import { AppError } from '../runtime/errors.ts';
import { after, now, random } from '../runtime/system.ts';
import type { Breakers } from './breakers.ts';

/** Most calls to one model for one request. */
export const mostCalls = 3;
const baseMs = 200;
const capMs = 2_000;

/** What may help after a failure: the same model again, only another one, or nothing. */
export type Remedy = 'again' | 'elsewhere' | 'none';

/** What may help after `error`; nothing once `signal` is aborted, or when the request itself is at fault. */
export function remedyFor(error: unknown, signal: AbortSignal): Remedy {
  if (signal.aborted || !(error instanceof AppError)) return 'none';
  if (error.code === 'unavailable' || error.code === 'deadline-exceeded') return 'again';
  return error.details?.reason === 'provider_configuration' ? 'elsewhere' : 'none';
}

/**
 * ms to wait after the failure of call number `calls` (from 1): exponential with full jitter, and at least what the vendor asks for.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(error: AppError, calls: number): number {
  const asked = error.details?.['retryAfterMs'];
  const backoff = Math.floor(random() * Math.min(capMs, baseMs * 2 ** (calls - 1)));
  return typeof asked === 'number' && asked > backoff ? asked : backoff;
}

/** How long and how often one model is tried. */
export interface RetryOptions {
  /** Ends every call and every wait. */
  signal: AbortSignal;
  /** ms since the epoch: neither a call nor a wait begins that would begin or end later. */
  deadlineAt: number;
  /** `provider/model` */
  key: string;
  breakers: Breakers;
  /** Failures in a row after which the model rests. */
  failuresToRest?: number | undefined;
  /** Another model can step in, so one that took too long is not asked again. */
  replaceable?: boolean;
}

/**
 * Calls one model, again after failures that may pass: at most three calls, all before the deadline, none while the
 * model rests.
 * @throws what the last call threw; AppError `unavailable` (provider_busy, with retryAfterMs) when the model rests, and
 *   `deadline-exceeded` (provider_timeout), or the signal's own AppError, when there is no time for a call.
 */
export async function withRetries<T>(act: (signal: AbortSignal) => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, deadlineAt, key } = options;
  const breaker = options.breakers.of(key, options.failuresToRest);
  for (let calls = 1; ; calls++) {
    if (signal.aborted || now() >= deadlineAt) throw tooLate(signal);
    const restMs = breaker.restMs();
    if (restMs > 0) throw resting(key, restMs);
    try {
      return await breaker.run(() => act(signal), signal);
    } catch (error) {
      if (!(error instanceof AppError) || remedyFor(error, signal) !== 'again' || calls === mostCalls || breaker.restMs() > 0) throw error;
      if (options.replaceable && error.code === 'deadline-exceeded') throw error;
      const delayMs = retryDelayMs(error, calls);
      // Nobody is kept waiting for long: the caller is told when to come back.
      if (delayMs > capMs || now() + delayMs >= deadlineAt) throw error;
      await pause(delayMs, signal);
    }
  }
}

function tooLate({ reason }: AbortSignal): AppError {
  return reason instanceof AppError ? reason : new AppError('deadline-exceeded', 'There was no time left to ask the model.', { reason: 'provider_timeout' });
}

function resting(key: string, retryAfterMs: number): AppError {
  return new AppError('unavailable', `The model ${key} has failed too often and is not asked for a while. Try again shortly.`, { reason: 'provider_busy', retryAfterMs });
}

/** Resolves after some ms, or as soon as the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
