import { abortFailure } from '../failures.ts';

/** Waits `ms` of real time, or until the signal ends it. @throws AppError as abortFailure says. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw abortFailure('offline', signal);
  if (ms <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(abortFailure('offline', signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** What `act` makes, unless the signal has ended the call before. @throws AppError as abortFailure says. */
export async function unlessAborted<T>(signal: AbortSignal, act: () => T): Promise<T> {
  await pause(0, signal);
  return act();
}
