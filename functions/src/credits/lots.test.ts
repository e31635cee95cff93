import assert from 'node:assert/strict';
import fc from 'fast-check';
import { at, hold, lot, moment } from '../../test/money.ts';
import { availableIn, burn, freeOf, heldOf, isUsable, negative, sumOf, type Holds, type Lots } from './lots.ts';
import type { LotDoc } from './schema.ts';

/** Grant ids in the order in which the lots burn. */
const order = (lots: Lots): string[] => burn(lots, {}, Infinity, moment).taken.map(({ grantId }) => grantId);
const burnAll = (lots: Lots, amount: number, holds: Holds = {}) => burn(lots, holds, amount, moment);
const soon = at(moment + 1_000);
const late = at(moment + 2_000);

const anyLot: fc.Arbitrary<LotDoc> = fc.record({
  remaining: fc.integer({ min: 1, max: 1_000 }),
  priority: fc.nat(2),
  expiresAt: fc.option(fc.integer({ min: -2, max: 3 }).map((ms) => at(moment + ms))),
  createdAt: fc.nat(2).map((ms) => at(moment - ms)),
  voided: fc.boolean(),
}).map((parts) => lot(parts.remaining, parts));
/** Lots, and holds that have taken no more than there is. */
const anyPurse: fc.Arbitrary<{ lots: Lots; holds: Holds }> = fc.uniqueArray(fc.tuple(fc.constantFrom(...'abcdefgh'), anyLot, fc.double({ min: 0, max: 1, noNaN: true })), { selector: ([grantId]) => grantId })
  .map((all) => ({
    lots: Object.fromEntries(all.map(([grantId, each]) => [grantId, each])),
    holds: Object.fromEntries(all.map(([grantId, { remaining }, part]) => [`hold-${grantId}`, hold({ [grantId]: Math.floor(part * remaining) })])),
  }));

describe('lots: the order in which they burn', () => {
  it('burns a lower priority first, whatever its expiry', () => {
    assert.deepEqual(order({ bought: lot(10, { priority: 1, expiresAt: soon }), trial: lot(10, { priority: 0 }) }), ['trial', 'bought']);
  });

  it('burns what expires sooner first, and what never expires last', () => {
    assert.deepEqual(order({ forever: lot(10), later: lot(10, { expiresAt: late }), sooner: lot(10, { expiresAt: soon }) }), ['sooner', 'later', 'forever']);
  });

  it('burns the older lot first among equals, and decides by id between lots of the same moment', () => {
    const made = (ms: number, expiresAt: LotDoc['expiresAt'] = null) => lot(10, { createdAt: at(moment - ms), expiresAt });
    assert.deepEqual(order({ fresh: made(1), old: made(2) }), ['old', 'fresh']);
    assert.deepEqual(order({ fresh: made(1, soon), old: made(2, soon) }), ['old', 'fresh']);
    assert.deepEqual(order({ b: lot(10), a: lot(10) }), ['a', 'b']);
  });

  it('is by priority, then expiry, then age, for any lots', () => {
    fc.assert(fc.property(anyPurse, ({ lots }) => {
      const key = (grantId: string): number[] => [lots[grantId]!.priority, lots[grantId]!.expiresAt?.toMillis() ?? Infinity, lots[grantId]!.createdAt.toMillis()];
      const keys = order(lots).map(key);
      keys.slice(1).forEach((next, index) => {
        const first = next.findIndex((part, at) => part !== keys[index]![at]);
        assert.ok(first === -1 || keys[index]![first]! < next[first]!, `${keys[index]!.join()} before ${next.join()}`);
      });
    }));
  });

  it('is the same in whatever order the lots are read, and leaves them as they are', () => {
    const reread = anyPurse.chain((purse) => fc.tuple(fc.constant(purse), fc.shuffledSubarray(Object.keys(purse.lots), { minLength: Object.keys(purse.lots).length })));
    fc.assert(fc.property(reread, fc.nat(3_000), ([{ lots, holds }, ids], amount) => {
      const before = JSON.stringify([lots, holds]);
      const shuffled = Object.fromEntries(ids.map((id) => [id, lots[id]!]));
      assert.deepEqual(burnAll(shuffled, amount, holds), burnAll(lots, amount, holds));
      assert.equal(JSON.stringify([lots, holds]), before);
    }));
  });
});

describe('lots: what is taken', () => {
  it('takes only what is needed from the last lot', () => {
    const lots = { a: lot(10), b: lot(10) };
    assert.deepEqual(burnAll(lots, 13), { taken: [{ grantId: 'a', amount: 10 }, { grantId: 'b', amount: 3 }], uncovered: 0 });
    assert.deepEqual(burnAll(lots, 10), { taken: [{ grantId: 'a', amount: 10 }], uncovered: 0 });
    assert.deepEqual(burnAll(lots, 0), { taken: [], uncovered: 0 });
  });

  it('says what no lot could cover', () => {
    assert.deepEqual(burnAll({ a: lot(10) }, 12), { taken: [{ grantId: 'a', amount: 10 }], uncovered: 2 });
    assert.deepEqual(burnAll({}, 12), { taken: [], uncovered: 12 });
  });

  it('passes over an expired lot from the very moment of its expiry, and over a void one', () => {
    const lots = { over: lot(10, { expiresAt: at(moment) }), gone: lot(10, { voided: true }), last: lot(10, { expiresAt: at(moment + 1) }) };
    assert.deepEqual(burnAll(lots, 30), { taken: [{ grantId: 'last', amount: 10 }], uncovered: 20 });
    assert.deepEqual(Object.values(lots).map((each) => isUsable(each, moment)), [false, false, true]);
    assert.equal(isUsable(lot(1, { voided: true, expiresAt: late }), moment), false);
  });

  it('passes over what holds have taken', () => {
    const lots = { a: lot(10), b: lot(10) };
    const holds = { one: hold({ a: 7 }), two: hold({ a: 3, b: 4 }) };
    assert.deepEqual(burnAll(lots, 20, holds), { taken: [{ grantId: 'b', amount: 6 }], uncovered: 14 });
    assert.deepEqual([heldOf('a', holds), heldOf('b', holds), heldOf('c', holds)], [10, 4, 0]);
    assert.deepEqual([freeOf('a', lots, holds), freeOf('b', lots, holds), freeOf('c', lots, holds)], [0, 6, 0]);
  });

  it('has available what a burn can take, and never a part that is held, expired or void', () => {
    fc.assert(fc.property(anyPurse, fc.nat(10_000), ({ lots, holds }, amount) => {
      const { taken, uncovered } = burnAll(lots, amount, holds);
      assert.equal(sumOf(taken) + uncovered, amount);
      assert.equal(uncovered, Math.max(0, amount - availableIn(lots, holds, moment)));
      assert.equal(new Set(taken.map(({ grantId }) => grantId)).size, taken.length);
      for (const part of taken) {
        assert.ok(isUsable(lots[part.grantId]!, moment));
        assert.ok(part.amount > 0 && part.amount + heldOf(part.grantId, holds) <= lots[part.grantId]!.remaining);
      }
    }));
  });

  it('leaves a lot over only when the amount is covered', () => {
    fc.assert(fc.property(anyPurse, fc.nat(4_000), ({ lots, holds }, amount) => {
      const { taken } = burnAll(lots, amount, holds);
      // All but the last lot are used up.
      for (const part of taken.slice(0, -1)) assert.equal(part.amount, freeOf(part.grantId, lots, holds));
    }));
  });
});

describe('amounts of lots', () => {
  it('add up, and turn round', () => {
    const amounts = [{ grantId: 'a', amount: 2 }, { grantId: 'b', amount: -5 }];
    assert.equal(sumOf(amounts), -3);
    assert.equal(sumOf([]), 0);
    assert.deepEqual(negative(amounts), [{ grantId: 'a', amount: -2 }, { grantId: 'b', amount: 5 }]);
  });
});
