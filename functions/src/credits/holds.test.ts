import assert from 'node:assert/strict';
import { agent, assertBooks, at, hold, lot, moment } from '../../test/money.ts';
import { change, type Balance, type Change, type Draft } from './balance.ts';
import { expireHold, extendHold, placeHold, postHold, prepayHold, resolveHold, type ResolvedHold } from './holds.ts';
import type { LotAmount } from './schema.ts';

const fresh = { sessionId: 's1', expiresAt: at(moment + 1_000), createdAt: at(moment) };
const settlement = { type: 'settlement' as const, operationId: 'settle-1', sessionId: 's1' };
const part = (grantId: string, amount: number): LotAmount => ({ grantId, amount });
const insufficient = (availableDOFs: number, neededDOFs: number) => ({ name: 'AppError', code: 'resource-exhausted', details: { reason: 'insufficient_dofs', availableDOFs, neededDOFs } });

/** Changes a balance, checks the books afterwards, and answers everything. */
function changed(before: Balance, act: (draft: Draft) => void, now = moment): Change {
  const done = change(before, now, act);
  assertBooks(done.balance);
  return done;
}
const placed = (before: Balance, amount: number) => changed(before, (draft) => placeHold(draft, 'h', amount, fresh, moment)).balance;
const posted = (before: Balance, amount: number) => changed(before, (draft) => postHold(draft, 'h', amount, settlement, moment));
const left = ({ lots }: Balance) => Object.fromEntries(Object.entries(lots).map(([grantId, { remaining }]) => [grantId, remaining]));
const twoLots = () => agent({ lots: { a: lot(10, { expiresAt: at(moment + 500) }), b: lot(20) } });

describe('holds: placing', () => {
  it('takes the DOFs in burn order, and enters nothing in the ledger', () => {
    const { balance, entries } = changed(twoLots(), (draft) => placeHold(draft, 'h', 13, fresh, moment));
    assert.deepEqual(balance.holds, { h: { ...fresh, amount: 13, lots: [part('a', 10), part('b', 3)], postedDOFs: 0 } });
    assert.deepEqual([entries, balance.currentDOFs, balance.heldDOFs, left(balance)], [[], 30, 13, { a: 10, b: 20 }]);
  });

  it('takes nothing that another hold has taken', () => {
    const { holds } = changed(placed(twoLots(), 13), (draft) => placeHold(draft, 'other', 17, fresh, moment)).balance;
    assert.deepEqual(holds['other']?.lots, [part('b', 17)]);
  });

  it('is refused, and changes nothing, when that much is not available', () => {
    const before = placed(twoLots(), 13);
    const copy = JSON.stringify(before);
    assert.throws(() => change(before, moment, (draft) => placeHold(draft, 'other', 18, fresh, moment)), insufficient(17, 18));
    assert.equal(JSON.stringify(before), copy);
    assert.throws(() => placed(agent({ lots: { over: lot(10, { expiresAt: at(moment) }), gone: lot(10, { voided: true }) } }), 1), insufficient(0, 1));
    assert.throws(() => placed(agent({ debtDOFs: 5 }), 1), insufficient(0, 1));
  });

  it('leaves the draft as it was when it is refused', () => {
    const { balance } = changed(twoLots(), (draft) => assert.throws(() => placeHold(draft, 'h', 31, fresh, moment)));
    assert.deepEqual([balance.holds, left(balance)], [{}, { a: 10, b: 20 }]);
  });

  it('is refused for nothing, for less, and for what is no whole number', () => {
    for (const amount of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => placed(twoLots(), amount), /a hold cannot take/);
  });

  it('happens once under one id', () => assert.throws(() => placed(placed(twoLots(), 1), 1), /hold h is pending already/));
});

describe('holds: extending', () => {
  it('adds what is next in burn order, lot by lot', () => {
    const { balance } = changed(placed(twoLots(), 6), (draft) => extendHold(draft, 'h', 9, moment));
    assert.deepEqual([balance.holds['h']?.amount, balance.holds['h']?.lots], [15, [part('a', 10), part('b', 5)]]);
  });

  it('is refused, and changes nothing, when that much is not available', () => {
    const before = placed(twoLots(), 6);
    assert.throws(() => changed(before, (draft) => extendHold(draft, 'h', 25, moment)), insufficient(24, 25));
    const { balance } = changed(before, (draft) => assert.throws(() => extendHold(draft, 'h', 25, moment)));
    assert.deepEqual(balance.holds, before.holds);
  });

  it('needs a pending hold', () => assert.throws(() => changed(twoLots(), (draft) => extendHold(draft, 'h', 1, moment)), /hold h is not pending/));
});

describe('holds: posting', () => {
  it('debits the lots in the order in which they were taken, part by part', () => {
    const first = posted(placed(twoLots(), 15), 4);
    assert.deepEqual(first.entries, [{ ...settlement, holdId: 'h', amount: -4, balanceAfter: 26, lots: [part('a', -4)], debt: 0, seq: 1 }]);
    const second = posted(first.balance, 8);
    assert.deepEqual(second.entries[0]?.lots, [part('a', -6), part('b', -2)]);
    assert.deepEqual(second.balance.holds['h'], { ...fresh, amount: 3, lots: [part('b', 3)], postedDOFs: 12 });
    assert.deepEqual([left(second.balance), second.balance.currentDOFs, second.balance.heldDOFs], [{ b: 18 }, 18, 3]);
  });

  it('takes usage beyond the hold from what is free, in the same entry', () => {
    const { entries, balance } = posted(placed(twoLots(), 4), 13);
    assert.deepEqual([entries[0]?.lots, entries[0]?.debt, entries[0]?.amount], [[part('a', -10), part('b', -3)], 0, -13]);
    assert.deepEqual([balance.holds['h']?.amount, balance.holds['h']?.lots, balance.holds['h']?.postedDOFs], [0, [], 13]);
  });

  it('owes what nothing covers, without touching other holds', () => {
    const before = changed(placed(twoLots(), 4), (draft) => placeHold(draft, 'other', 20, fresh, moment)).balance;
    const { entries, balance } = posted(before, 50);
    assert.deepEqual([entries[0]?.lots, entries[0]?.debt, entries[0]?.amount, entries[0]?.balanceAfter], [[part('a', -4), part('b', -6)], 40, -50, -20]);
    assert.deepEqual([balance.debtDOFs, balance.currentDOFs, balance.heldDOFs, left(balance)], [40, -20, 20, { a: 6, b: 14 }]);
    assert.deepEqual(balance.holds['other']?.lots, [part('a', 6), part('b', 14)]);
  });

  it('of a hold that is gone takes everything from what is free', () => {
    const { entries, balance } = posted(twoLots(), 35);
    assert.deepEqual([entries[0]?.lots, entries[0]?.debt], [[part('a', -10), part('b', -20)], 5]);
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs, balance.lots], [-5, 5, {}]);
  });

  it('still takes what it holds of a lot that has expired or was voided meanwhile, and no more of it', () => {
    const lots = { a: lot(10, { expiresAt: at(moment) }), b: lot(10, { voided: true }), c: lot(10) };
    const { entries } = posted(agent({ lots, holds: { h: hold({ a: 3, b: 4 }) } }), 9);
    assert.deepEqual(entries[0]?.lots, [part('a', -3), part('b', -4), part('c', -2)]);
  });

  it('of nothing is no entry', () => {
    const { entries, balance } = posted(placed(twoLots(), 4), 0);
    assert.deepEqual([entries, balance.seq, balance.holds['h']?.amount], [[], 0, 4]);
  });

  it('is refused for anything but whole DOFs', () => {
    for (const amount of [-1, 0.5, NaN, Infinity]) assert.throws(() => posted(placed(twoLots(), 4), amount), /cannot change by/, `${amount}`);
  });
});

describe('holds: resolving', () => {
  /** The hold `h` as it was resolved, and the balance afterwards. */
  function released(before: Balance, state: ResolvedHold['state'] = 'released'): { resolved: ResolvedHold; balance: Balance } {
    let resolved!: ResolvedHold;
    const { balance, entries } = changed(before, (draft) => { resolved = resolveHold(draft, 'h', state); });
    assert.deepEqual(entries, []);
    return { resolved, balance };
  }

  it('gives back exactly what it took, and takes the hold off', () => {
    const { resolved, balance } = released(placed(twoLots(), 13));
    assert.deepEqual(resolved, { holdId: 'h', state: 'released', postedDOFs: 0, releasedDOFs: 13, lots: [part('a', 10), part('b', 3)], sessionId: 's1', createdAt: fresh.createdAt });
    assert.deepEqual([balance.holds, balance.heldDOFs, left(balance)], [{}, 0, { a: 10, b: 20 }]);
    assert.deepEqual(placed(balance, 13).holds, placed(twoLots(), 13).holds);
  });

  it('gives back what was not posted', () => {
    const { resolved } = released(posted(placed(twoLots(), 13), 11).balance, 'posted');
    assert.deepEqual([resolved.state, resolved.postedDOFs, resolved.releasedDOFs, resolved.lots], ['posted', 11, 2, [part('b', 2)]]);
  });

  it('gives back to lots that are over: those of an expired one are due at once, those of a void one are gone', () => {
    const lots = { a: lot(10, { expiresAt: at(moment) }), b: lot(10, { voided: true }) };
    const { balance } = changed(agent({ lots, holds: { h: hold({ a: 10, b: 10 }) } }), (draft) => void resolveHold(draft, 'h', 'released'));
    assert.deepEqual(left(balance), { a: 10 });
    assert.ok(balance.dueAt !== null && balance.dueAt.toMillis() <= moment);
    assert.throws(() => placed(balance, 1), insufficient(0, 1));
  });

  it('repays debt from what it gives back', () => {
    const before = agent({ lots: { a: lot(10) }, holds: { h: hold({ a: 10 }) }, debtDOFs: 4 });
    const { balance, entries } = changed(before, (draft) => void resolveHold(draft, 'h', 'expired'));
    assert.deepEqual([balance.debtDOFs, balance.currentDOFs, left(balance)], [0, 6, { a: 6 }]);
    assert.deepEqual(entries.map(({ type, amount }) => [type, amount]), [['repayment', 0]]);
  });

  it('happens once', () => {
    const { balance } = released(placed(twoLots(), 13));
    assert.throws(() => changed(balance, (draft) => void resolveHold(draft, 'h', 'released')), /hold h is not pending/);
  });
});

describe('holds: expiring', () => {
  const prepaid = (before: Balance) => changed(before, (draft) => prepayHold(draft, 'h')).balance;
  function expired(before: Balance): Change & { resolved: ResolvedHold } {
    let resolved!: ResolvedHold;
    return { ...changed(before, (draft) => { resolved = expireHold(draft, 'h', moment); }), resolved };
  }

  it('releases what it holds', () => {
    const { resolved, entries, balance } = expired(placed(twoLots(), 13));
    assert.deepEqual([resolved.state, resolved.postedDOFs, resolved.releasedDOFs, entries, left(balance)], ['expired', 0, 13, [], { a: 10, b: 20 }]);
  });

  it('posts all of one that pays in advance, and what was bought with it in a session names that session', () => {
    for (const [hold, session] of [[{ ...fresh, sessionId: null }, {}], [{ ...fresh, sessionId: null, originSessionId: 's9' }, { sessionId: 's9' }]] as const) {
      const before = prepaid(changed(twoLots(), (draft) => placeHold(draft, 'h', 13, hold, moment)).balance);
      assert.deepEqual(before.holds['h'], { ...hold, amount: 13, lots: [part('a', 10), part('b', 3)], postedDOFs: 0, onExpiry: 'post' });
      const { resolved, entries, balance } = expired(before);
      assert.deepEqual(entries, [{ type: 'post', operationId: 'post-h', ...session, actor: 'system', reason: 'paid in advance', holdId: 'h', amount: -13, balanceAfter: 17, lots: [part('a', -10), part('b', -3)], debt: 0, seq: 1 }]);
      assert.deepEqual([resolved.state, resolved.postedDOFs, resolved.releasedDOFs, resolved.lots], ['posted', 13, 0, []]);
      assert.deepEqual([balance.holds, balance.heldDOFs, left(balance)], [{}, 0, { b: 17 }]);
    }
  });

  it('posts what it holds of lots that are over, and repays no debt with it', () => {
    const lots = { a: lot(10, { expiresAt: at(moment) }), b: lot(10, { voided: true }) };
    const { entries, balance } = expired(prepaid(agent({ lots, holds: { h: hold({ a: 10, b: 10 }) }, debtDOFs: 4 })));
    assert.deepEqual([entries.map(({ type, amount }) => [type, amount]), balance.debtDOFs, balance.lots], [[['post', -20]], 4, {}]);
  });

  it('needs a pending hold', () => {
    for (const act of [prepayHold, expireHold]) assert.throws(() => changed(twoLots(), (draft) => void act(draft, 'h', moment)), /hold h is not pending/);
  });
});
