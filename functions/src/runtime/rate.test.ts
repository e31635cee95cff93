import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allowanceOf, book, idleSlot, slotOf, windowStart, type Limit } from './rate.ts';

const limit: Limit = { calls: 100, windowMs: 60_000 };
const hourMs = 3_600_000;
const start = 480_000;

describe('the window of a call', () => {
  it('is the same for every instance', () => {
    assert.deepEqual([start, start + 1, start + 59_999, start + 60_000].map((now) => windowStart(limit, now)), [start, start, start, start + 60_000]);
  });

  it('lies in one of three slots that follow each other by the hour', () => {
    assert.deepEqual([0, hourMs - 1, hourMs, 2 * hourMs, 3 * hourMs].map(slotOf), [0, 0, 1, 2, 0]);
  });

  it('is in a slot that is cleared neither while it is used nor in the hour after', () => {
    fc.assert(fc.property(fc.integer({ min: hourMs, max: 4e12 }), (now) => {
      assert.equal(new Set([slotOf(now), slotOf(now - hourMs), idleSlot(now)]).size, 3);
    }));
  });
});

describe('a booking', () => {
  it('begins a window for a caller that has none, or an old one', () => {
    for (const before of [null, { start: start - 60_000, calls: 100 }]) {
      assert.deepEqual(book(before, limit, { start, past: 1, wanted: 2 }), { booked: { start, calls: 3 }, granted: 2 });
    }
  });

  it('grants what is left, and nothing when nothing is', () => {
    assert.deepEqual(book({ start, calls: 97 }, limit, { start, past: 0, wanted: 5 }), { booked: { start, calls: 100 }, granted: 3 });
    assert.deepEqual(book({ start, calls: 100 }, limit, { start, past: 0, wanted: 5 }), { booked: { start, calls: 100 }, granted: 0 });
  });

  it('counts the calls of the past in any case, before those that wait', () => {
    assert.deepEqual(book({ start, calls: 98 }, limit, { start, past: 5, wanted: 5 }), { booked: { start, calls: 103 }, granted: 0 });
    assert.deepEqual(book({ start, calls: 90 }, limit, { start, past: 5, wanted: 6 }), { booked: { start, calls: 100 }, granted: 5 });
  });

  it('counts for the window after, where a faster clock has begun it', () => {
    assert.deepEqual(book({ start: start + 60_000, calls: 100 }, limit, { start, past: 0, wanted: 1 }), { booked: { start: start + 60_000, calls: 100 }, granted: 0 });
  });

  it('takes no window for its own that is further ahead: nobody is locked out by a clock that was wrong', () => {
    assert.deepEqual(book({ start: start + 120_000, calls: 100 }, limit, { start, past: 0, wanted: 1 }), { booked: { start, calls: 1 }, granted: 1 });
  });

  it('can be repeated on what it has seen: it changes nothing of it', () => {
    const before = Object.freeze({ start, calls: 7 });
    assert.deepEqual(book(before, limit, { start, past: 1, wanted: 1 }), book(before, limit, { start, past: 1, wanted: 1 }));
  });
});

describe('the allowance of an instance', () => {
  it('is so small that four of them stay within 5 % of the limit', () => {
    assert.deepEqual([1_000, 100, 80, 79, 1].map((calls) => allowanceOf({ calls, windowMs: 1 })), [12, 1, 1, 0, 0]);
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), (calls) => assert.ok(4 * allowanceOf({ calls, windowMs: 1 }) <= calls * 0.05)));
  });
});
