import { createHash } from 'node:crypto';
import { AppError } from './errors.ts';
import { liveDatabase, liveDatabases } from './firebase.ts';
import { callsPerAddress, callsPerUser, rateWindowSeconds } from './params.ts';
import { book, idleSlot, slotOf, type Booked, type Booking, type Limit } from './rate.ts';
import { RateLimiter } from './rate-limiter.ts';
import { after } from './system.ts';
import { transact } from './transact.ts';

/** How long a call waits for its place at most. */
const patienceMs = 3_000;

let limiters: { users: RateLimiter; addresses: RateLimiter; windowMs: number } | undefined;

/** The limits of this instance, as its parameters say; a window is an hour at most, since counts are kept for no longer. */
function limits(): NonNullable<typeof limiters> {
  if (!limiters) {
    const windowMs = Math.min(rateWindowSeconds(), 3_600) * 1_000;
    limiters = { users: new RateLimiter({ calls: callsPerUser(), windowMs }, reserve), addresses: new RateLimiter({ calls: callsPerAddress(), windowMs }, reserve), windowMs };
  }
  return limiters;
}

/**
 * Counts a call: for the user who is signed in, otherwise for the address that it comes from.
 * @throws AppError `resource-exhausted` (rate_limited, `retryAfterMs`) when there were too many in this window.
 * @throws AppError `aborted` (contention) when too many instances count for one caller at once.
 */
export async function countCall(uid: string | null, address: string): Promise<void> {
  const { users, addresses } = limits();
  const retryAfterMs = uid === null ? await addresses.count(keyOf(`address ${address}`)) : await users.count(keyOf(`user ${uid}`));
  if (retryAfterMs <= 0) return;
  throw new AppError('resource-exhausted', `Too many calls. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`, { reason: 'rate_limited', retryAfterMs });
}

/** Removes the counts of windows that are over. */
export async function clearOldRates(now: number): Promise<void> {
  await Promise.all(liveDatabases().map((database) => database.ref(`rates/${idleSlot(now)}`).remove()));
}

/** A key that any text may stand behind, and that shows nobody's id or address. */
function keyOf(caller: string): string {
  return createHash('sha256').update(caller).digest('base64url').slice(0, 22);
}

/** One transaction; two requests, as the SDK does not know the count before. Asked twice for lack of an answer, it counts twice. */
async function reserve(key: string, limit: Limit, booking: Booking): Promise<number> {
  let granted = 0;
  await withPatience(transact<Booked>(liveDatabase(key).ref(`rates/${slotOf(booking.start)}/${key}`), (current) => {
    const next = book(current, limit, booking);
    granted = next.granted;
    return next.booked;
  }));
  return granted;
}

/** The SDK waits for a connection without end. */
function withPatience<T>(request: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(patienceMs, () => reject(new Error(`no answer within ${patienceMs} ms`)));
    request.then(resolve, reject).finally(cancel);
  });
}
