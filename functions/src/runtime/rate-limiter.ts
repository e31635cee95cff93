import { AppError, describeError } from './errors.ts';
import { log } from './log.ts';
import { allowanceOf, windowStart, type Booking, type Limit } from './rate.ts';
import { now } from './system.ts';

/** Books calls of one caller for all instances; answers how many of the wanted places are granted. */
export type Book = (key: string, limit: Limit, booking: Booking) => Promise<number>;

/** How long an instance does without the database after it could not be reached. */
const restMs = 10_000;
/** Callers that are remembered at once, about 20 MB: beyond that the first one is forgotten, and has its allowance again. */
const maxCallers = 100_000;

/** What an instance knows of one caller in one window. */
interface Tally {
  start: number;
  /** Calls that may pass unbooked. */
  allowance: number;
  unbooked: number;
  /** Places that calls which wait have been granted and not taken yet. */
  granted: number;
  /** Calls that wait for a place. */
  waiting: number;
  /** No place is left until the window ends. */
  full: boolean;
  booking: Promise<void> | null;
}

/**
 * Counts calls by caller, for one instance. Most calls are counted in memory: the database is asked once for every
 * `allowanceOf(limit) + 1` of them or more, and not at all for a caller that makes fewer or is known to have used up its
 * window. Where it cannot be reached, each instance grants the whole limit by itself: limits protect capacity, and a
 * failure of theirs must not stop what works without the database. What spends needs the same database, and fails closed.
 */
export class RateLimiter {
  readonly #limit: Limit;
  readonly #book: Book;
  #start = 0;
  #tallies = new Map<string, Tally>();
  #restUntil = 0;

  constructor(limit: Limit, book: Book) {
    this.#limit = limit;
    this.#book = book;
  }

  /**
   * Counts one call.
   * @returns 0 when it may pass, otherwise the ms until the caller's next window.
   * @throws AppError `aborted` (contention) when too many instances book at once.
   */
  async count(key: string): Promise<number> {
    for (;;) {
      const tally = this.#tallyOf(key);
      if (tally.granted > 0) {
        tally.granted--;
        return 0;
      }
      if (tally.full) return tally.start + this.#limit.windowMs - now();
      if (tally.unbooked < tally.allowance) {
        tally.unbooked++;
        return 0;
      }
      tally.waiting++;
      tally.booking ??= this.#bookFor(key, tally).finally(() => { tally.booking = null; });
      await tally.booking.finally(() => { tally.waiting--; });
    }
  }

  #tallyOf(key: string): Tally {
    const start = windowStart(this.#limit, now());
    if (start !== this.#start) {
      this.#start = start;
      this.#tallies.clear();
    }
    const known = this.#tallies.get(key);
    if (known) return known;
    if (this.#tallies.size >= maxCallers) this.#tallies.delete(this.#tallies.keys().next().value!);
    const tally: Tally = { start, allowance: allowanceOf(this.#limit), unbooked: 0, granted: 0, waiting: 0, full: false, booking: null };
    this.#tallies.set(key, tally);
    return tally;
  }

  async #bookFor(key: string, tally: Tally): Promise<void> {
    // Calls that come together are booked together.
    await Promise.resolve();
    const { start, unbooked: past, waiting: wanted } = tally;
    if (now() < this.#restUntil) {
      tally.full = tally.allowance === this.#limit.calls;
      tally.allowance = this.#limit.calls;
      return;
    }
    try {
      const granted = await this.#book(key, this.#limit, { start, past, wanted });
      tally.unbooked -= past;
      tally.granted += granted;
      tally.full = granted < wanted;
    } catch (error) {
      if (error instanceof AppError) throw error;
      log.write({ severity: 'WARNING', message: 'rate limits are counted by each instance alone', error: describeError(error) });
      this.#restUntil = now() + restMs;
      tally.allowance = this.#limit.calls;
    }
  }
}
