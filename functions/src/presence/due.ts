import { isDue, type Meter } from '../live/meter.ts';
import { endOf, pausedAt } from './pause.ts';

/**
 * What the sweep has to do with a session: end it, because it was idle for too long, its owner stays away or its end was
 * cut short; show that it is paused; or nothing yet. A turn in flight is never cut by either.
 */
export function dueAction(meter: Meter, now: number): 'wait' | 'pause' | 'end' {
  const { open, ownerAway, dueAt = Infinity } = meter;
  if (!open || !ownerAway || endOf(ownerAway) <= now) return isDue(meter, now) ? 'end' : 'wait';
  return dueAt <= now && pausedAt(meter, now) !== null ? 'pause' : 'wait';
}

/** The meter of a session whose pause is shown: it is due again when it ends. */
export function pauseShown(meter: Meter): Meter {
  return meter.ownerAway ? { ...meter, dueAt: endOf(meter.ownerAway) } : meter;
}
