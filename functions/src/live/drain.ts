import type { CloseReason } from '../sessions/schema.ts';
import type { FinalUsage } from '../sessions/store.ts';
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
  await updateMeter(sessionId, (meter) => {
    kept = meter !== null && meter.open && !mayClose(meter);
    // A session that ends before its start has opened the meter leaves a closed one behind, or that start would open it.
    return kept || meter?.open === false ? undefined : close(meter ?? neverOpened, reason, now());
  });
  if (kept) return 'kept';
  for (;;) {
    const meter = await untilIdle(sessionId, deadline, now);
    if (meter?.turn) {
      await resolveAbandoned(sessionId, meter, { idleMs: 0, settleEvery: Infinity }, now());
      continue;
    }
    const context = meter && await readContext(sessionId);
    const lines = meter && context ? await lastLines({ ...context, sessionId }, await usageBetween(sessionId, meter.checkpointed, meter.consumed)) : [];
    return { total: meter?.consumed ?? null, lines, reason: (meter?.closeReason ?? reason) as CloseReason };
  }
}

/** The meter once no turn holds it, or as it is when the deadline passes or the turn's lease has expired. */
function untilIdle(sessionId: string, deadline: number, now: () => number): Promise<Meter | null> {
  return new Promise((resolve) => {
    let cancel: (() => void) | undefined;
    const unwatch = watchMeter(sessionId, (meter) => {
      cancel?.();
      const waitMs = meter?.turn ? Math.min(deadline, meter.turn.expiresAt) - now() : 0;
      const finish = (): void => {
        resolve(meter);
        queueMicrotask(() => unwatch());
      };
      if (waitMs <= 0) finish();
      else cancel = after(waitMs, finish);
    });
  });
}
