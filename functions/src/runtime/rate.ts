/** How many calls one caller may make in each window of time. */
export interface Limit {
  calls: number;
  windowMs: number;
}

/** rates/{slot}/{key}: the calls of one caller that are booked in the window that began at `start`, ms since the epoch. */
export interface Booked {
  start: number;
  calls: number;
}

/** What an instance asks for: a place for calls that it has let through already, and places for calls that wait. */
export interface Booking {
  start: number;
  past: number;
  wanted: number;
}

/** So many instances may let through calls of one caller that are not booked yet, and together exceed the limit by no more than this share. */
const instances = 4;
const overshoot = 0.05;

/** A ring of three hours: one in use, the one before, and one that is cleared before its turn comes. */
const slots = 3;
const slotMs = 3_600_000;

/**
 * Calls of one caller that an instance may let through before it books them. With `a` of them and `n` instances, at least
 * `limit.calls` and at most `limit.calls + n * a` calls pass in a window, 5 % above the limit for four instances: places are
 * given out one by one and only to calls that wait, so none is lost; and whatever an instance has let through unbooked
 * is booked with its next request, which is the last one that is granted when the places are used up.
 */
export function allowanceOf(limit: Limit): number {
  return Math.floor((limit.calls * overshoot) / instances);
}

/** When the window began that a moment lies in: ms since the epoch, for every instance the same. */
export function windowStart({ windowMs }: Limit, now: number): number {
  return Math.floor(now / windowMs) * windowMs;
}

/** The slot of a window: `rates/` has three, which are used in turn, an hour each. */
export function slotOf(start: number): number {
  return Math.floor(start / slotMs) % slots;
}

/** The slot that is used next: nothing in it is needed any more. */
export function idleSlot(now: number): number {
  return slotOf(now + slotMs);
}

/**
 * Books calls. Those of the past are booked in any case; of those that wait as many are granted as there are places left.
 * A window overwrites the one before. One that begins a window later than that of the request counts for it as well: a clock is behind.
 */
export function book(booked: Booked | null, { calls, windowMs }: Limit, { start, past, wanted }: Booking): { booked: Booked; granted: number } {
  const current = booked !== null && booked.start >= start && booked.start <= start + windowMs ? booked : { start, calls: 0 };
  const used = current.calls + past;
  const granted = Math.min(wanted, Math.max(0, calls - used));
  return { booked: { start: current.start, calls: used + granted }, granted };
}
