import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until `check` holds; false when it never did within the time. */
export async function until(check: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > deadline) return false;
    await delay(10);
  }
  return true;
}
