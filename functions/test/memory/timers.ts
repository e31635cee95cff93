/**
 * Runs the Realtime Database SDK such that its timers of 0 ms come as microtasks: it drops the watch of an aborted
 * transaction in one, and a simulation in which nothing takes time must not wait for it. Other timers stay as they are.
 */
export function withoutTimers(run: () => void): void {
  const original = globalThis.setTimeout;
  const atOnce = (callback: () => void, ms?: number): unknown => (ms === 0 ? queueMicrotask(callback) : original(callback, ms));
  globalThis.setTimeout = atOnce as typeof setTimeout;
  try {
    run();
  } finally {
    globalThis.setTimeout = original;
  }
}
