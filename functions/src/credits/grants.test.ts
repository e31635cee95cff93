import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agent, assertBooks, at, hold, lot, moment } from '../../test/money.ts';
import { change, type Balance, type Change, type Draft } from './balance.ts';
import { debit, grantLot, lapseLots, maxOpenLots, voidLot } from './grants.ts';
import { resolveHold } from './holds.ts';
import type { LotAmount, LotDoc } from './schema.ts';

const because = { reason: 'a test', actor: 'admin-1' };
const bySystem = { actor: 'system' };
const part = (grantId: string, amount: number): LotAmount => ({ grantId, amount });
const closed = { name: 'AppError', code: 'failed-precondition', details: { reason: 'grant_closed' } };

function changed(before: Balance, act: (draft: Draft) => void, now = moment): Change {
  const done = change(before, now, act);
  assertBooks(done.balance);
  return done;
}
const terms = (parts: Partial<LotDoc> = {}): Omit<LotDoc, 'remaining' | 'voided'> => {
  const { remaining: _remaining, voided: _voided, ...rest } = lot(0, parts);
  return rest;
};
const granted = (before: Balance, amount: number, parts: Partial<LotDoc> = {}) =>
  changed(before, (draft) => grantLot(draft, 'g', amount, terms(parts), { type: 'grant', operationId: 'g', ...because }, moment));
const voided = (before: Balance, grantId = 'g', now = moment) => changed(before, (draft) => void voidLot(draft, grantId, because, now), now);
const days = (from: NonNullable<LotDoc['expiresAt']>, count: number) => at(from.toMillis() + count * 1_000);
const lapsed = (before: Balance, now = moment) => changed(before, (draft) => void lapseLots(draft, now, days), now);
const releasing = (before: Balance, holdId = 'h') => changed(before, (draft) => void resolveHold(draft, holdId, 'released'));
const released = (before: Balance, holdId = 'h') => releasing(before, holdId).balance;

describe('grants: a new lot', () => {
  it('comes with its entry, its terms, and not void', () => {
    const { balance, entries } = granted(agent(), 50, { priority: 3, expiresAt: at(moment + 1) });
    assert.deepEqual(balance.lots, { g: lot(50, { priority: 3, expiresAt: at(moment + 1) }) });
    assert.deepEqual(entries, [{ type: 'grant', operationId: 'g', ...because, grantId: 'g', amount: 50, balanceAfter: 50, lots: [part('g', 50)], debt: 0, seq: 1 }]);
  });

  it('repays debt first', () => {
    const { balance, entries } = granted(agent({ debtDOFs: 20 }), 50);
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs, balance.lots['g']?.remaining], [30, 0, 30]);
    assert.deepEqual(entries.map(({ type, amount, debt }) => [type, amount, debt]), [['grant', 50, 0], ['repayment', 0, -20]]);
  });

  it('is refused beyond the most open lots, and a closed one makes room', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`lot-${index}`, lot(1)]));
    assert.throws(() => granted(agent({ lots: many(maxOpenLots) }), 1), { name: 'AppError', code: 'failed-precondition', details: { reason: 'too_many_lots' } });
    assert.equal(Object.keys(granted(agent({ lots: many(maxOpenLots - 1) }), 1).balance.lots).length, maxOpenLots);
    assert.equal(Object.keys(granted(voided(agent({ lots: many(maxOpenLots) }), 'lot-0').balance, 1).balance.lots).length, maxOpenLots);
  });

  it('is refused when it would be over already', () => {
    for (const expiresAt of [at(moment), at(moment - 1)]) assert.throws(() => granted(agent(), 1, { expiresAt }), { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_input' } });
  });

  it('is opened once under one id', () => assert.throws(() => granted(granted(agent(), 5).balance, 5), /lot g is open already/));

  it('is refused for anything but whole DOFs', () => {
    for (const amount of [-1, 0.5, NaN, Infinity]) assert.throws(() => granted(agent(), amount), /lot g cannot change/);
  });
});

describe('grants: voiding', () => {
  it('takes out what is left, and closes the lot', () => {
    const { balance, entries } = voided(agent({ lots: { g: lot(30), other: lot(5) } }));
    assert.deepEqual(entries, [{ type: 'void', operationId: 'void-g-30', grantId: 'g', ...because, amount: -30, balanceAfter: 5, lots: [part('g', -30)], debt: 0, seq: 1 }]);
    assert.deepEqual(Object.keys(balance.lots), ['other']);
  });

  it('leaves to holds what they have taken, and takes what they give back with the same change', () => {
    const first = voided(agent({ lots: { g: lot(30) }, holds: { h: hold({ g: 20 }), i: hold({ g: 4 }) } }));
    assert.deepEqual([first.entries[0]?.amount, first.balance.lots['g']], [-6, lot(24, { voided: true })]);
    const second = releasing(first.balance);
    assert.deepEqual(second.entries, [{ type: 'void', operationId: 'void-g-24', grantId: 'g', ...bySystem, reason: 'given back to a void grant', amount: -20, balanceAfter: 4, lots: [part('g', -20)], debt: 0, seq: 2 }]);
    const third = releasing(second.balance, 'i');
    assert.deepEqual([third.entries[0]?.operationId, third.entries[0]?.amount, third.balance.lots], ['void-g-4', -4, {}]);
  });

  it('of a lot that is held whole is no entry yet', () => {
    const before = agent({ lots: { g: lot(30) }, holds: { h: hold({ g: 30 }) } });
    const { balance, entries } = voided(before);
    assert.deepEqual([entries, balance.lots['g']?.voided, balance.currentDOFs], [[], true, 30]);
    assert.deepEqual(lapsed(balance).entries, []);
    assert.equal(released(balance).currentDOFs, 0);
  });

  it('says how much it took out', () => {
    const draftOf = (before: Balance) => { let out = -1; changed(before, (draft) => { out = voidLot(draft, 'g', because, moment); }); return out; };
    assert.equal(draftOf(agent({ lots: { g: lot(30) }, holds: { h: hold({ g: 20 }) } })), 10);
    assert.equal(draftOf(agent({ lots: { g: lot(30) }, holds: { h: hold({ g: 30 }) } })), 0);
  });

  it('is refused for a lot that is used up, over or void already', () => {
    assert.throws(() => voided(agent()), closed);
    assert.throws(() => voided(agent({ lots: { g: lot(30, { expiresAt: at(moment) }) } })), closed);
    const once = voided(agent({ lots: { g: lot(30) }, holds: { h: hold({ g: 20 }) } })).balance;
    assert.throws(() => voided(once), closed);
  });
});

describe('grants: expiry', () => {
  it('takes out the free part of a lot that is over, from that very moment on', () => {
    const before = agent({ lots: { g: lot(30, { expiresAt: at(moment) }), later: lot(5, { expiresAt: at(moment + 1) }), forever: lot(5) } });
    assert.deepEqual(lapsed(before, moment - 1).entries, []);
    const { balance, entries } = lapsed(before);
    assert.deepEqual(entries, [{ type: 'expiry', operationId: 'expiry-g-30', grantId: 'g', ...bySystem, reason: 'expired', amount: -30, balanceAfter: 10, lots: [part('g', -30)], debt: 0, seq: 1 }]);
    assert.deepEqual(Object.keys(balance.lots), ['later', 'forever']);
  });

  it('leaves to holds what they have taken, until they give it back', () => {
    const first = lapsed(agent({ lots: { g: lot(30, { expiresAt: at(moment) }) }, holds: { h: hold({ g: 20 }) } }));
    assert.deepEqual([first.balance.currentDOFs, first.entries[0]?.operationId], [20, 'expiry-g-30']);
    const second = lapsed(released(first.balance));
    assert.deepEqual([second.balance.currentDOFs, second.entries[0]?.operationId], [0, 'expiry-g-20']);
  });

  it('is over when it has been done: repeating it changes nothing', () => {
    const { balance } = lapsed(agent({ lots: { g: lot(30, { expiresAt: at(moment), rollover: { maxDOFs: 10, days: 2 } }) } }));
    assert.deepEqual(lapsed(balance).entries, []);
  });
});

describe('grants: rolling over', () => {
  const rolling = (remaining: number, maxDOFs: number) => lot(remaining, { source: 'hire', priority: 7, expiresAt: at(moment), rollover: { maxDOFs, days: 2 } });

  it('goes on with what is left, in a lot that does not roll over again', () => {
    const { balance, entries } = lapsed(agent({ lots: { g: rolling(30, 100) } }));
    assert.deepEqual(balance.lots, { 'rollover-g': { source: 'hire', remaining: 30, priority: 7, expiresAt: at(moment + 2_000), rollover: null, voided: false, createdAt: at(moment) } });
    assert.deepEqual(entries.map(({ type, operationId, grantId, amount, balanceAfter }) => [type, operationId, grantId, amount, balanceAfter]), [
      ['expiry', 'expiry-g-30', 'g', -30, 0], ['grant', 'rollover-g', 'rollover-g', 30, 30],
    ]);
    assert.deepEqual(lapsed(balance, moment + 2_000).balance.lots, {});
  });

  it('says what it has rolled over', () => {
    changed(agent({ lots: { g: rolling(30, 10) } }), (draft) => {
      const { remaining: _remaining, ...opened } = lot(0, { source: 'hire', priority: 7, expiresAt: at(moment + 2_000), createdAt: at(moment) });
      assert.deepEqual(lapseLots(draft, moment, days), [{ grantId: 'rollover-g', from: 'g', amount: 10, lot: opened }]);
    });
  });

  it('goes on with the agreed maximum, and the rest expires', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (remaining, maxDOFs) => {
      const { balance } = lapsed(agent({ lots: { g: rolling(remaining, maxDOFs) } }));
      assert.equal(balance.currentDOFs, Math.min(remaining, maxDOFs));
    }));
  });

  it('happens once: what holds give back later expires', () => {
    const first = lapsed(agent({ lots: { g: rolling(30, 100) }, holds: { h: hold({ g: 20 }) } }));
    assert.deepEqual([first.balance.lots['rollover-g']?.remaining, first.balance.lots['g']?.remaining], [10, 20]);
    const second = lapsed(released(first.balance));
    assert.deepEqual([second.entries.map(({ type }) => type), second.balance.currentDOFs], [['expiry'], 10]);
  });

  it('waits for the holds when they have taken the lot whole', () => {
    const held = agent({ lots: { g: rolling(30, 100) }, holds: { h: hold({ g: 30 }) } });
    assert.deepEqual(lapsed(held).entries, []);
    assert.equal(lapsed(released(held)).balance.lots['rollover-g']?.remaining, 30);
  });

  it('is nothing for a lot that was voided', () => {
    const { entries, balance } = lapsed(agent({ lots: { g: { ...rolling(30, 100), voided: true } } }));
    assert.deepEqual([entries.map(({ type }) => type), balance.lots], [['void'], {}]);
  });

  it('pays a debt from what goes on, and from nothing that is over', () => {
    const { entries, balance } = lapsed(agent({ lots: { g: rolling(30, 10) }, debtDOFs: 4 }));
    assert.deepEqual(entries.map(({ type, lots }) => [type, ...lots]), [['expiry', part('g', -30)], ['grant', part('rollover-g', 10)], ['repayment', part('rollover-g', -4)]]);
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs], [6, 0]);
  });
});

describe('grants: taking DOFs away', () => {
  const debited = (before: Balance, amount: number) => changed(before, (draft) => debit(draft, amount, { type: 'adjustment', operationId: 'fix', ...because }, moment));

  it('takes them in burn order, from what no hold has taken', () => {
    const { entries, balance } = debited(agent({ lots: { a: lot(10), b: lot(10) }, holds: { h: hold({ a: 8 }) } }), 5);
    assert.deepEqual([entries[0]?.lots, entries[0]?.amount, entries[0]?.debt], [[part('a', -2), part('b', -3)], -5, 0]);
    assert.deepEqual(balance.holds['h']?.amount, 8);
  });

  it('takes nothing when that much is not available', () => {
    const before = agent({ lots: { a: lot(10), over: lot(10, { expiresAt: at(moment) }) }, holds: { h: hold({ a: 8 }) } });
    assert.throws(() => debited(before, 3), { name: 'AppError', code: 'resource-exhausted', details: { reason: 'insufficient_dofs', availableDOFs: 2, neededDOFs: 3 } });
    assert.equal(debited(before, 2).balance.lots['a']?.remaining, 8);
  });

  it('is refused for what is no whole number', () => {
    for (const amount of [0.5, NaN, Infinity]) assert.throws(() => debited(agent({ lots: { a: lot(10) } }), amount));
  });
});
