import { liveDatabase } from '../runtime/firebase.ts';
import { pausedAt, type Pausable } from '../presence/pause.ts';
import { transactLive } from './transact.ts';

/**
 * Shows what is read, again and again until what is read afterwards is what was shown: of several who do so at once,
 * the last one has seen the latest. Answers that.
 */
export async function keepShowing<T>(read: () => Promise<T>, show: (value: T) => Promise<void>): Promise<T> {
  for (let value = await read(); ;) {
    await show(value);
    const latest = await read();
    if (latest === value) return value;
    value = latest;
  }
}

/** Shows members since when the session is paused, at `live/{sessionId}/pausedAt`, or that it is not. Answers that moment (ms since the epoch), null for none. Safe to repeat. */
export async function showPause(sessionId: string, now: () => number): Promise<number | null> {
  const meter = liveDatabase(sessionId).ref(`meters/${sessionId}`);
  const read = async (): Promise<number | null> => {
    const current = (await meter.get()).val() as Pausable | null;
    return current && pausedAt(current, now());
  };
  return keepShowing(read, (at) => transactLive<{ status?: string; pausedAt?: number | null }>(sessionId, (current) => {
    if (current === null) return null;
    const shown = current.status === 'active' ? at : null;
    return (current.pausedAt ?? null) === shown ? undefined : { ...current, pausedAt: shown };
  }));
}
