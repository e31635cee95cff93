import type { CloseReason } from '../sessions/schema.ts';
import type { FinalUsage } from '../sessions/store-lifecycle.ts';
import { after } from '../runtime/system.ts';
import { close, type Meter } from './meter.ts';
import { lastLines, resolveAbandoned } from './posting.ts';
import { readContext, updateMeter, watchMeter } from './store.ts';
import { usageBetween } from './store-requests.ts';

/** How long the holder of a turn gets to stop and post after the meter was closed; it sees the closing at once. */
const drainMs = 5_000;

/** What closing a meter came to: what it measured, or `kept` when it may not be closed. */
export type Closed = FinalUsage & { reason: CloseReason } | 'kept';

const neverOpened: Meter = { open: true, generation: 0, limit: 0, consumed: 0, checkpointed: 0, expiresAt: 0 };

/**
 * Closes a session's meter for good. A turn in flight is told to stop and posts what it has; one that does not is
 * resolved in its place. `mayClose` decides on the meter as it is at that moment.
 */
export async function closeMeter(sessionId: string, reason: CloseReason, now: () => number, mayClose: (meter: Meter) => boolean = () => true): Promise<Closed> {
  const deadline = now() + drainMs;
  let kept = false;
  let meter = await updateMeter(sessionId, (current) => {
    kept = current !== null && current.open && !mayClose(current);
    // A session that ends before its start has opened the meter leaves a closed one behind, or that start would open it.
    return kept || current?.open === false ? undefined : close(current ?? neverOpened, reason, now());
  });
  if (kept) return 'kept';
  for (; meter?.turn; meter = await updateMeter(sessionId, () => undefined)) {
    const holding = await untilIdle(sessionId, deadline, now);
    if (holding) await resolveAbandoned(sessionId, holding, { idleMs: 0, settleEvery: Infinity }, now());
  }
  const context = meter && await readContext(sessionId);
  const lines = meter && context ? await lastLines({ ...context, sessionId }, await usageBetween(sessionId, meter.checkpointed, meter.consumed)) : [];
  return { total: meter?.consumed ?? null, lines, longWaits: meter?.longWaits ?? 0, reason: (meter?.closeReason ?? reason) as CloseReason };
}

/** Null once no turn holds the closed meter; the meter as it is when the deadline passes or the turn's lease has expired. */
function untilIdle(sessionId: string, deadline: number, now: () => number): Promise<Meter | null> {
  return new Promise((resolve) => {
    let cancel: (() => void) | undefined;
    const unwatch = watchMeter(sessionId, (meter) => {
      cancel?.();
      // One that is open was seen before it was closed.
      const until = meter?.turn ? Math.min(deadline, meter.turn.expiresAt) : meter?.open ? deadline : 0;
      const finish = (): void => {
        resolve(meter?.turn ? meter : null);
        queueMicrotask(() => unwatch());
      };
      if (until <= now()) finish();
      else cancel = after(until - now(), finish);
    });
  });
}
