import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agent, assertBooks, at, hold, lot, moment } from '../../test/money.ts';
import { change, dueAtOf, Draft, type Balance, type Entry } from './balance.ts';

const about = { type: 'adjustment' as const, operationId: 'op-1', reason: 'a test', actor: 'admin-1' };
const changed = (before: Balance, act: (draft: Draft) => void, now = moment) => change(before, now, act);
/** A draft after something that it must refuse, and that must have left no entry. */
const refuses = (before: Balance, act: (draft: Draft) => void, message: RegExp) => {
  const draft = new Draft(before);
  assert.throws(() => act(draft), message);
  assert.deepEqual(draft.entries, []);
  assert.deepEqual([draft.currentDOFs, draft.debtDOFs], [before.currentDOFs, before.debtDOFs]);
};

describe('draft: an entry', () => {
  it('changes lots, debt and balance by what it says, and numbers itself', () => {
    const { balance, entries } = changed(agent({ lots: { a: lot(10), b: lot(5) }, seq: 7 }), (draft) => draft.enter(about, [{ grantId: 'a', amount: -4 }, { grantId: 'b', amount: -5 }], 3));
    assert.deepEqual(entries, [
      { ...about, amount: -12, balanceAfter: 3, lots: [{ grantId: 'a', amount: -4 }, { grantId: 'b', amount: -5 }], debt: 3, seq: 8 },
      { type: 'repayment', operationId: 'repay-9', amount: 0, balanceAfter: 3, lots: [{ grantId: 'a', amount: -3 }], debt: -3, seq: 9 },
    ]);
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs, balance.seq], [3, 0, 9]);
    assert.deepEqual(Object.entries(balance.lots).map(([grantId, { remaining }]) => [grantId, remaining]), [['a', 3]]);
    assertBooks(balance);
  });

  it('carries what it is about', () => {
    const { entries } = changed(agent({ lots: { a: lot(10) } }), (draft) => draft.enter({ ...about, grantId: 'a', correctsEntryId: 'e0', holdId: 'h', sessionId: 's' }, [{ grantId: 'a', amount: -1 }]));
    assert.deepEqual(entries[0], { ...about, grantId: 'a', correctsEntryId: 'e0', holdId: 'h', sessionId: 's', amount: -1, balanceAfter: 9, lots: [{ grantId: 'a', amount: -1 }], debt: 0, seq: 1 });
  });

  it('is refused for a lot that is not open', () => {
    refuses(agent({ lots: { a: lot(10) } }), (draft) => draft.enter(about, [{ grantId: 'b', amount: 1 }]), /lot b cannot change by 1/);
    refuses(agent(), (draft) => draft.enter(about, [{ grantId: 'b', amount: 0 }]), /lot b cannot change by 0/);
  });

  it('is refused when it would take a lot or the debt below zero', () => {
    refuses(agent({ lots: { a: lot(10) } }), (draft) => draft.enter(about, [{ grantId: 'a', amount: -11 }]), /lot a cannot change by -11/);
    refuses(agent({ lots: { a: lot(10) } }), (draft) => draft.enter(about, [{ grantId: 'a', amount: -6 }, { grantId: 'a', amount: -6 }]), /lot a cannot change by -6/);
    refuses(agent({ debtDOFs: 4 }), (draft) => draft.enter(about, [], -5), /debt cannot change by -5/);
  });

  it('is refused for anything but whole DOFs', () => {
    for (const amount of [0.5, -0.5, NaN, Infinity, -Infinity, 2 ** 53]) {
      refuses(agent({ lots: { a: lot(10) } }), (draft) => draft.enter(about, [{ grantId: 'a', amount }]), /cannot change/);
      refuses(agent({ debtDOFs: 4 }), (draft) => draft.enter(about, [], amount), /cannot change/);
    }
  });

  it('opens a lot once, empty until an entry fills it', () => {
    const { remaining: _remaining, ...opened } = lot(0);
    const { balance, entries } = changed(agent({ lots: { a: lot(10) } }), (draft) => {
      draft.open('b', opened);
      assert.equal(draft.lots['b']?.remaining, 0);
      draft.enter(about, [{ grantId: 'b', amount: 7 }]);
    });
    assert.deepEqual([balance.lots['b']?.remaining, balance.currentDOFs, entries[0]?.amount], [7, 17, 7]);
    refuses(agent({ lots: { a: lot(10) } }), (draft) => draft.open('a', opened), /lot a is open already/);
  });
});

describe('balance: a change', () => {
  it('leaves the balance that came in as it is', () => {
    const before = agent({ lots: { a: lot(10), b: lot(10) }, holds: { h: hold({ a: 4 }) } });
    const copy = JSON.stringify(before);
    const { before: kept, balance } = changed(before, (draft) => {
      draft.enter(about, [{ grantId: 'b', amount: -10 }]);
      draft.lots['a']!.voided = true;
      draft.holds['h']!.lots[0]!.amount = 1;
      draft.holds['h']!.amount = 1;
    });
    assert.equal(JSON.stringify(before), copy);
    assert.equal(kept, before);
    assert.deepEqual([balance.heldDOFs, Object.keys(balance.lots)], [1, ['a']]);
  });

  it('changes nothing when it fails half-way', () => {
    const before = agent({ lots: { a: lot(10) } });
    const copy = JSON.stringify(before);
    assert.throws(() => changed(before, (draft) => {
      draft.enter(about, [{ grantId: 'a', amount: -3 }]);
      throw new Error('half-way');
    }), /half-way/);
    assert.equal(JSON.stringify(before), copy);
  });

  it('drops a lot with its last DOF, and keeps one that holds have taken whole', () => {
    const { balance } = changed(agent({ lots: { spent: lot(3), held: lot(5) }, holds: { h: hold({ held: 5 }) } }), (draft) => draft.enter(about, [{ grantId: 'spent', amount: -3 }]));
    assert.deepEqual(Object.keys(balance.lots), ['held']);
  });

  it('that does nothing has no entries', () => {
    const before = agent({ lots: { a: lot(10) }, seq: 3 });
    const { balance, entries } = changed(before, () => undefined);
    assert.deepEqual([entries, balance.seq, balance.lots], [[], 3, before.lots]);
  });
});

describe('balance: debt', () => {
  const grant = (amount: number) => (draft: Draft): void => {
    const { remaining: _remaining, ...opened } = lot(0);
    draft.open('new', opened);
    draft.enter({ type: 'grant', operationId: 'new', grantId: 'new' }, [{ grantId: 'new', amount }]);
  };

  it('is repaid first by the next grant, with an entry of its own that leaves the balance as it is', () => {
    const { balance, entries } = changed(agent({ debtDOFs: 30, seq: 4 }), grant(100));
    assert.deepEqual(entries.map(({ type, amount, balanceAfter, lots, debt, seq }: Entry) => ({ type, amount, balanceAfter, lots, debt, seq })), [
      { type: 'grant', amount: 100, balanceAfter: 70, lots: [{ grantId: 'new', amount: 100 }], debt: 0, seq: 5 },
      { type: 'repayment', amount: 0, balanceAfter: 70, lots: [{ grantId: 'new', amount: -30 }], debt: -30, seq: 6 },
    ]);
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs, balance.lots['new']?.remaining], [70, 0, 70]);
    assertBooks(balance);
  });

  it('is repaid in part by a smaller grant, which is used up', () => {
    const { balance } = changed(agent({ debtDOFs: 30 }), grant(12));
    assert.deepEqual([balance.currentDOFs, balance.debtDOFs, balance.lots], [-18, 18, {}]);
  });

  it('is never repaid from what holds have taken, nor from expired or void lots', () => {
    const lots = { held: lot(5), over: lot(5, { expiresAt: at(moment) }), gone: lot(5, { voided: true }) };
    const { balance, entries } = changed(agent({ debtDOFs: 30, lots, holds: { h: hold({ held: 5 }) } }), () => undefined);
    assert.deepEqual([balance.debtDOFs, entries.map(({ type, grantId }) => [type, grantId])], [30, [['void', 'gone']]]);
  });

  it('and usable DOFs that are free never stand side by side', () => {
    fc.assert(fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (debtDOFs, held, granted) => {
      const before = agent({ debtDOFs, lots: held > 0 ? { held: lot(held) } : {}, holds: held > 0 ? { h: hold({ held }) } : {} });
      const { balance } = changed(before, grant(granted));
      assert.ok(balance.debtDOFs === 0 || balance.lots['new'] === undefined);
      assert.equal(balance.currentDOFs, before.currentDOFs + granted);
      assertBooks(balance);
    }));
  });
});

describe('balance: when the sweep must look at it', () => {
  const dueAt = (before: Parameters<typeof agent>[0]): number | null => changed(agent(before), () => undefined).balance.dueAt?.toMillis() ?? null;

  it('is never without an expiry', () => {
    assert.equal(dueAt({ lots: { a: lot(10) } }), null);
    assert.equal(dueAt({}), null);
  });

  it('is at the first expiry of a lot or a hold', () => {
    const lots = { late: lot(10, { expiresAt: at(moment + 9) }), soon: lot(10, { expiresAt: at(moment + 5) }), forever: lot(10) };
    assert.equal(dueAt({ lots }), moment + 5);
    assert.equal(dueAt({ lots, holds: { h: hold({ forever: 1 }, { expiresAt: at(moment + 3) }) } }), moment + 3);
    assert.equal(dueAt({ lots, holds: { h: hold({ forever: 1 }, { expiresAt: at(moment + 7) }) } }), moment + 5);
  });

  it('is at once for what was given back to a lot that is over', () => {
    assert.equal(dueAt({ lots: { a: lot(10, { expiresAt: at(moment - 5) }) } }), moment - 5);
    assert.equal(dueAtOf({ a: lot(10, { voided: true, createdAt: at(moment - 7) }) }, {})?.toMillis(), moment - 7);
  });

  it('waits for the hold where a lot is held whole', () => {
    const lots = { a: lot(10, { expiresAt: at(moment - 5) }), b: lot(10, { voided: true }) };
    assert.equal(dueAt({ lots, holds: { h: hold({ a: 10, b: 10 }, { expiresAt: at(moment + 60) }) } }), moment + 60);
  });
});
