import assert from 'node:assert/strict';
import fc from 'fast-check';
import { burn, type Lot } from './lots.ts';

const lot = (grantId: string, parts: Partial<Lot> = {}): Lot => ({ grantId, remaining: 10, priority: 0, expiresAt: null, createdAt: 0, ...parts });
/** The lots in the order in which they burn. */
const order = (...lots: Lot[]): string[] => burn(lots, Infinity).debits.map((debit) => debit.grantId);

const anyLots: fc.Arbitrary<Lot[]> = fc.uniqueArray(fc.record({
  grantId: fc.string({ minLength: 1, maxLength: 4 }),
  remaining: fc.nat(1_000),
  priority: fc.nat(2),
  expiresAt: fc.option(fc.nat(3)),
  createdAt: fc.nat(3),
}, { noNullPrototype: true }), { selector: (each) => each.grantId, maxLength: 12 });
const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0);

describe('lots', () => {
  it('burns a lot of lower priority first, whatever its expiry', () => {
    assert.deepEqual(order(lot('bought', { priority: 1, expiresAt: 5 }), lot('trial', { priority: 0 })), ['trial', 'bought']);
  });

  it('burns a lot that expires sooner first, and one that never expires last', () => {
    assert.deepEqual(order(lot('forever'), lot('june', { expiresAt: 6 }), lot('may', { expiresAt: 5 })), ['may', 'june', 'forever']);
  });

  it('burns the older lot first among equals', () => {
    assert.deepEqual(order(lot('new', { createdAt: 2 }), lot('old', { createdAt: 1 })), ['old', 'new']);
    assert.deepEqual(order(lot('new', { createdAt: 2, expiresAt: 9 }), lot('old', { createdAt: 1, expiresAt: 9 })), ['old', 'new']);
  });

  it('decides by id between lots of the same moment', () => {
    assert.deepEqual(order(lot('b'), lot('a')), ['a', 'b']);
    assert.deepEqual(order(lot('a'), lot('b')), ['a', 'b']);
  });

  it('takes only what is needed from the last lot', () => {
    assert.deepEqual(burn([lot('a'), lot('b')], 13), { debits: [{ grantId: 'a', amount: 10 }, { grantId: 'b', amount: 3 }], uncovered: 0 });
    assert.deepEqual(burn([lot('a'), lot('b')], 10), { debits: [{ grantId: 'a', amount: 10 }], uncovered: 0 });
  });

  it('says what no lot could cover', () => {
    assert.deepEqual(burn([lot('a')], 12), { debits: [{ grantId: 'a', amount: 10 }], uncovered: 2 });
    assert.deepEqual(burn([], 12), { debits: [], uncovered: 12 });
  });

  it('passes over empty lots, and touches none for nothing', () => {
    assert.deepEqual(burn([lot('a', { remaining: 0 }), lot('b')], 1).debits, [{ grantId: 'b', amount: 1 }]);
    assert.deepEqual(burn([lot('a')], 0), { debits: [], uncovered: 0 });
  });

  it('keeps the amount, and takes no more than a lot has, once each', () => {
    fc.assert(fc.property(anyLots, fc.nat(10_000), (lots, amount) => {
      const { debits, uncovered } = burn(lots, amount);
      assert.equal(sum(debits.map((debit) => debit.amount)) + uncovered, amount);
      assert.equal(uncovered, Math.max(0, amount - sum(lots.map((each) => each.remaining))));
      assert.equal(new Set(debits.map((debit) => debit.grantId)).size, debits.length);
      for (const debit of debits) {
        const { remaining } = lots.find((each) => each.grantId === debit.grantId)!;
        assert.ok(debit.amount > 0 && debit.amount <= remaining);
      }
    }));
  });

  it('burns the same lots in whatever order they are read, and leaves them as they are', () => {
    const reread = anyLots.chain((lots) => fc.tuple(fc.constant(lots), fc.shuffledSubarray(lots, { minLength: lots.length })));
    fc.assert(fc.property(reread, fc.nat(5_000), ([lots, shuffled], amount) => {
      const before = structuredClone(shuffled);
      assert.deepEqual(burn(shuffled, amount), burn(lots, amount));
      assert.deepEqual(shuffled, before);
    }));
  });
});
