import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AppError } from './errors.ts';
import { useLog } from './log.ts';
import { book, type Booked, type Booking, type Limit } from './rate.ts';
import { RateLimiter, type Book } from './rate-limiter.ts';
import { useSystem } from './system.ts';

const limit: Limit = { calls: 1_000, windowMs: 60_000 };
const moment = 1_200_000;
const hour = 3_600_000;

/** What all instances share, and the bookings that have reached it. */
class Ledger {
  readonly booked = new Map<string, Booked>();
  readonly bookings: Booking[] = [];

  readonly book: Book = (key, to, booking) => {
    this.bookings.push(booking);
    const { booked, granted } = book(this.booked.get(key) ?? null, to, booking);
    this.booked.set(key, booked);
    return Promise.resolve(granted);
  };
}

const many = (count: number, limiter: RateLimiter, key = 'ada'): Promise<number[]> => Promise.all(Array.from({ length: count }, () => limiter.count(key)));
const passed = (answers: number[]): number => answers.filter((answer) => answer === 0).length;

describe('calls of one caller', () => {
  let time = moment;
  let logged: object[];

  beforeEach(() => {
    time = moment;
    logged = [];
    useSystem({ now: () => time, newId: () => '', random: () => 0, after: () => () => undefined });
    useLog({ info: () => undefined, warn: () => undefined, write: (entry) => void logged.push(entry) });
  });
  afterEach(() => {
    useSystem(null);
    useLog(null);
  });

  it('cost nothing as long as they are few', async () => {
    const ledger = new Ledger();
    assert.deepEqual(await many(12, new RateLimiter(limit, ledger.book)), Array<number>(12).fill(0));
    assert.deepEqual(ledger.bookings, []);
  });

  it('are booked thirteen at a time when they come one by one', async () => {
    const ledger = new Ledger();
    const limiter = new RateLimiter(limit, ledger.book);
    for (let call = 0; call < 130; call++) assert.equal(await limiter.count('ada'), 0);
    assert.deepEqual(ledger.bookings, Array<Booking>(10).fill({ start: moment, past: 12, wanted: 1 }));
    assert.equal(ledger.booked.get('ada')?.calls, 130);
  });

  it('share a booking when they come together', async () => {
    const ledger = new Ledger();
    assert.equal(passed(await many(1_000, new RateLimiter(limit, ledger.book))), 1_000);
    assert.ok(ledger.bookings.length <= 4, String(ledger.bookings.length));
  });

  it('are refused when their window is used up, with the time until the next, and not asked for again', async () => {
    const ledger = new Ledger();
    const limiter = new RateLimiter(limit, ledger.book);
    time = moment + 20_000;
    const answers = await many(1_400, limiter);
    assert.equal(passed(answers), 1_000);
    assert.deepEqual([...new Set(answers)], [0, 40_000]);
    const { length } = ledger.bookings;
    time = moment + 59_999;
    assert.deepEqual(await many(100, limiter), Array<number>(100).fill(1));
    assert.equal(ledger.bookings.length, length);
  });

  it('pass again in the next window, which overwrites the one before', async () => {
    const ledger = new Ledger();
    const limiter = new RateLimiter(limit, ledger.book);
    await many(1_400, limiter);
    time = moment + 60_000;
    assert.equal(passed(await many(1_400, limiter)), 1_000);
    assert.deepEqual([...ledger.booked], [['ada', { start: time, calls: 1_000 }]]);
  });

  it('do not touch those of another', async () => {
    const limiter = new RateLimiter(limit, new Ledger().book);
    await many(1_400, limiter);
    assert.equal(await limiter.count('bob'), 0);
  });

  it('are counted one by one under a small limit', async () => {
    const ledger = new Ledger();
    const limiter = new RateLimiter({ calls: 5, windowMs: hour }, ledger.book);
    assert.deepEqual((await many(7, limiter)).map((wait) => wait > 0), [false, false, false, false, false, true, true]);
    assert.equal(ledger.booked.get('ada')?.calls, 5);
  });

  it('stay between the limit and 5 % more over four instances, whatever comes first', async () => {
    const counts = fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 4 });
    await fc.assert(fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 300 }), counts, fc.nat({ max: 5 }), async (scheduler, calls, perInstance, rounds) => {
      const ledger = new Ledger();
      const to = { calls, windowMs: hour };
      const limiters = perInstance.map(() => new RateLimiter(to, (key, ...rest) => scheduler.schedule(Promise.resolve()).then(() => ledger.book(key, ...rest)).then((granted) => scheduler.schedule(Promise.resolve(granted)))));
      let allowed = 0;
      let asked = 0;
      const ask = perInstance.flatMap((count, index) => Array.from({ length: count * (1 + rounds) }, async (_, turn) => {
        if (turn >= count) await scheduler.schedule(Promise.resolve());
        asked++;
        if (await limiters[index]!.count('ada') === 0) allowed++;
      }));
      await scheduler.waitFor(Promise.all(ask));
      assert.ok(allowed >= Math.min(asked, calls), `${allowed} of ${asked} passed under a limit of ${calls}`);
      assert.ok(allowed <= calls * 1.05, `${allowed} passed under a limit of ${calls}`);
    }), { numRuns: 200 });
  });

  it('exceed the limit by no more than the allowance of each instance, however many there are', async () => {
    const ledger = new Ledger();
    const limiters = Array.from({ length: 30 }, () => new RateLimiter(limit, ledger.book));
    const answers = await Promise.all(limiters.map((limiter) => many(200, limiter)));
    assert.ok(passed(answers.flat()) >= 1_000 && passed(answers.flat()) <= 1_000 + 30 * 12);
  });

  it('pass up to the limit on each instance when they cannot be booked, and the database is left alone for 10 s', async () => {
    let asked = 0;
    const limiter = new RateLimiter(limit, () => {
      asked++;
      return Promise.reject(new Error('no connection'));
    });
    assert.equal(passed(await many(1_400, limiter)), 1_000);
    assert.equal(passed(await many(1_400, limiter, 'bob')), 1_000);
    assert.equal(asked, 1);
    time += 10_000;
    assert.equal(passed(await many(1_400, limiter, 'eve')), 1_000);
    assert.equal(asked, 2);
    assert.deepEqual(logged.map((entry) => (entry as { severity: string; message: string }).message), Array<string>(2).fill('rate limits are counted by each instance alone'));
  });

  it('are booked again once the database can be reached', async () => {
    const ledger = new Ledger();
    let down = true;
    const limiter = new RateLimiter(limit, (...booking) => (down ? Promise.reject(new Error('no connection')) : ledger.book(...booking)));
    await many(100, limiter);
    down = false;
    time += 60_000;
    assert.equal(passed(await many(1_400, limiter)), 1_000);
    assert.equal(ledger.booked.get('ada')?.calls, 1_000);
  });

  it('are refused, not let through, when too many instances book at once', async () => {
    const contention = new AppError('aborted', 'Too many.', { reason: 'contention' });
    const limiter = new RateLimiter(limit, () => Promise.reject(contention));
    await many(12, limiter);
    await assert.rejects(limiter.count('ada'), contention);
  });

  it('are forgotten first by who came first, when there are more callers than an instance remembers', async () => {
    const limiter = new RateLimiter(limit, () => Promise.resolve(0));
    await many(13, limiter, 'first');
    assert.ok(await limiter.count('first') > 0);
    for (let caller = 0; caller < 100_000; caller++) await limiter.count(`caller ${caller}`);
    assert.equal(await limiter.count('first'), 0);
  });
});
