import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AgentDoc } from '../agents/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { agent, assertBooks, at, hold, lot, moment } from '../../test/money.ts';
import type { Entry } from './balance.ts';
import { settle, type Settlement } from './settle.ts';

type Checkpoint = Parameters<typeof settle>[0];
type SessionMoney = Pick<SessionDoc, 'settledDOFs' | 'consumedDOFs' | 'heldDOFs' | 'settlement' | 'version'>;

const session = (parts: Partial<SessionMoney> = {}): SessionDoc =>
  ({ sessionId: 's1', settledDOFs: 0, consumedDOFs: 0, heldDOFs: 100, settlement: 'open', version: 1, ...parts }) as SessionDoc;
const sessionHold = (taken: Record<string, number>) => hold(taken, { sessionId: 's1', postedDOFs: 0 });
/** An agent whose session `s1` holds 100 of 150 DOFs, in two lots, beside another hold of 30. */
const owner = (parts: Partial<AgentDoc> = {}): AgentDoc =>
  agent({ lots: { a: lot(50), b: lot(100) }, holds: { s1: sessionHold({ a: 50, b: 50 }), other: hold({ b: 30 }) }, ...parts });

/** Settles, and checks the books afterwards. */
function settled(checkpoint: Checkpoint, of: SessionDoc, by: AgentDoc, now = moment): Settlement | null {
  const settlement = settle(checkpoint, of, by, now);
  if (settlement) assertBooks(settlement.money.balance);
  return settlement;
}
const part = (grantId: string, amount: number) => ({ grantId, amount });

describe('settle: a checkpoint of an open session', () => {
  it('posts what came since the last one from the hold of the session', () => {
    const { money, ...rest } = settled({ total: 70, final: false }, session({ settledDOFs: 10, consumedDOFs: 10, heldDOFs: 90 }), owner({ holds: { s1: sessionHold({ a: 40, b: 50 }) }, lots: { a: lot(40), b: lot(100) }, seq: 3 }))!;
    assert.deepEqual(rest, { delta: 60, released: 0, session: { settledDOFs: 70, consumedDOFs: 70, heldDOFs: 30, settlement: 'open', version: 2 }, hold: null });
    assert.deepEqual(money.entries, [
      { type: 'settlement', operationId: 'settle-s1-70', sessionId: 's1', holdId: 's1', amount: -60, balanceAfter: 80, lots: [part('a', -40), part('b', -20)], debt: 0, seq: 4 },
    ]);
    assert.deepEqual([money.balance.currentDOFs, money.balance.heldDOFs, money.balance.holds['s1']?.postedDOFs], [80, 30, 60]);
  });

  it('has nothing to settle when it is repeated or late', () => {
    const of = session({ settledDOFs: 70, consumedDOFs: 70, heldDOFs: 30 });
    for (const total of [70, 20, 0]) assert.equal(settled({ total, final: false }, of, owner()), null);
  });

  it('leaves a known higher total as it is', () => {
    assert.equal(settled({ total: 20, final: false }, session({ consumedDOFs: 80, settlement: 'pending' }), owner())?.session.consumedDOFs, 80);
  });

  it('never touches the hold of another session', () => {
    const { money } = settled({ total: 100, final: false }, session(), owner())!;
    assert.deepEqual([money.balance.holds['s1']?.amount, money.balance.holds['other']?.amount, money.balance.heldDOFs], [0, 30, 30]);
  });

  it('of a session whose hold is gone takes everything from what is free, and owes the rest', () => {
    const { session: after, money, hold: resolved } = settled({ total: 70, final: false }, session({ heldDOFs: 0 }), owner({ lots: { a: lot(50) }, holds: {} }))!;
    assert.deepEqual([after.heldDOFs, resolved, money.entries[0]?.lots, money.entries[0]?.debt], [0, null, [part('a', -50)], 20]);
    assert.deepEqual([money.balance.currentDOFs, money.balance.debtDOFs], [-20, 20]);
  });
});

describe('settle: the final checkpoint', () => {
  it('posts the rest and releases what is left of the hold', () => {
    const by = owner({ holds: { s1: hold({ b: 60 }, { sessionId: 's1', postedDOFs: 40 }) }, lots: { a: lot(10), b: lot(100) } });
    const { money, ...rest } = settled({ total: 70, final: true }, session({ settledDOFs: 40, consumedDOFs: 70, heldDOFs: 60, settlement: 'pending' }), by)!;
    assert.deepEqual(rest, {
      delta: 30, released: 30, session: { settledDOFs: 70, consumedDOFs: 70, heldDOFs: 0, settlement: 'done', version: 2 },
      hold: { holdId: 's1', state: 'posted', postedDOFs: 70, releasedDOFs: 30, lots: [part('b', 30)], sessionId: 's1', createdAt: at(moment) },
    });
    assert.deepEqual([money.balance.currentDOFs, money.balance.holds], [80, {}]);
  });

  it('releases the whole hold, without an entry, when nothing was used', () => {
    const { delta, released, money, hold: resolved, session: after } = settled({ total: 0, final: true }, session({ settlement: 'pending' }), owner())!;
    assert.deepEqual([delta, released, money.entries, resolved?.state, after.settlement], [0, 100, [], 'released', 'done']);
    assert.deepEqual([money.balance.currentDOFs, money.balance.heldDOFs], [150, 30]);
  });

  it('releases what earlier checkpoints have left, as a hold that was posted', () => {
    const by = owner({ lots: { b: lot(100) }, holds: { s1: hold({ b: 50 }, { sessionId: 's1', postedDOFs: 50 }) } });
    const { delta, hold: resolved } = settled({ total: 50, final: true }, session({ settledDOFs: 50, consumedDOFs: 50, heldDOFs: 50, settlement: 'pending' }), by)!;
    assert.deepEqual([delta, resolved?.state, resolved?.postedDOFs, resolved?.releasedDOFs], [0, 'posted', 50, 50]);
  });

  it('cannot say less than the session itself', () => {
    assert.equal(settled({ total: 0, final: true }, session({ consumedDOFs: 60, settlement: 'pending' }), owner())?.delta, 60);
  });

  it('is done, and frees nothing, when the hold is gone', () => {
    const { session: after, released, hold: resolved } = settled({ total: 70, final: true }, session({ settlement: 'pending', heldDOFs: 0 }), owner({ holds: {} }))!;
    assert.deepEqual([after.settlement, after.heldDOFs, released, resolved], ['done', 0, 0, null]);
  });

  it('releases nothing of a session that has not ended', () => {
    assert.equal(settled({ total: 0, final: true }, session(), owner()), null);
    const { released, hold: resolved, session: after } = settled({ total: 10, final: true }, session(), owner())!;
    assert.deepEqual([released, resolved, after.settlement, after.heldDOFs], [0, null, 'open', 90]);
  });

  it('is the last: afterwards no checkpoint changes anything', () => {
    fc.assert(fc.property(fc.nat(1_000), fc.boolean(), fc.nat(1_000), (total, final, settledDOFs) => {
      assert.equal(settled({ total, final }, session({ settledDOFs, settlement: 'done' }), owner()), null);
    }));
  });
});

/** A session that has ended, its agent, and the ledger, as the store would keep them. */
interface Books {
  session: SessionDoc;
  agent: AgentDoc;
  ledger: Entry[];
  released: number[];
}

function deliver(books: Books, checkpoint: Checkpoint): Books {
  const settlement = settle(checkpoint, books.session, books.agent, moment);
  if (!settlement) return books;
  const { money, hold: resolved } = settlement;
  assertBooks(money.balance);
  assert.equal(money.balance.holds['s1']?.amount ?? 0, settlement.session.heldDOFs);
  return {
    session: { ...books.session, ...settlement.session },
    agent: { ...books.agent, ...money.balance },
    ledger: [...books.ledger, ...money.entries],
    released: resolved ? [...books.released, resolved.releasedDOFs] : books.released,
  };
}

/** What must not depend on the order: everything but the numbers of entries and versions. */
const outcome = ({ session: { version: _version, ...money }, agent: { seq: _seq, ...balance }, ledger, released }: Books): object => ({
  money, balance, released,
  byLot: Object.fromEntries(['a', 'b', 'c'].map((grantId) => [grantId, ledger.flatMap(({ lots }) => lots).reduce((sum, each) => sum + (each.grantId === grantId ? each.amount : 0), 0)])),
  debt: ledger.reduce((sum, { debt }) => sum + debt, 0),
});

const totals = [10, 35, 36, 70, 95];
const finalTotal = 97;
const checkpoints: Checkpoint[] = [...totals.map((total) => ({ total, final: false })), { total: finalTotal, final: true }];

function* orders<T>(items: T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries()) for (const rest of orders(items.toSpliced(index, 1))) yield [item, ...rest];
}

/** Agents whose session ends: covered by its hold, by what is free beside it, by nothing, and without any hold. */
const endings: Record<string, AgentDoc> = {
  'within its hold': owner(),
  'beyond its hold, from what is free': owner({ holds: { s1: sessionHold({ a: 40 }), other: hold({ b: 20 }) } }),
  'beyond everything, in debt': owner({ lots: { a: lot(50), b: lot(30) }, holds: { s1: sessionHold({ a: 40 }), other: hold({ b: 20 }) } }),
  'without its hold': owner({ holds: { other: hold({ b: 20 }) } }),
  'from a lot that is over': owner({ lots: { a: lot(50, { expiresAt: at(moment) }), b: lot(100, { voided: true }), c: lot(60) }, holds: { s1: sessionHold({ a: 50, b: 50 }) } }),
};

for (const [ending, by] of Object.entries(endings)) {
  describe(`settle: a session that ended ${ending}`, () => {
    const heldDOFs = by.holds['s1']?.amount ?? 0;
    const start: Books = { session: session({ settlement: 'pending', consumedDOFs: finalTotal, heldDOFs }), agent: by, ledger: [], released: [] };
    const expected = () => outcome(deliver(start, checkpoints.at(-1)!));

    it('comes to the same in every order of its checkpoints', () => {
      const once = expected();
      let count = 0;
      for (const order of orders(checkpoints)) {
        assert.deepEqual(outcome(order.reduce(deliver, start)), once);
        count++;
      }
      assert.equal(count, 720);
    });

    it('comes to the same however often each of them is repeated', () => {
      const deliveries = fc.tuple(...checkpoints.map(() => fc.integer({ min: 1, max: 5 })))
        .map((times) => checkpoints.flatMap((checkpoint, index) => Array<Checkpoint>(times[index]!).fill(checkpoint)))
        .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
      fc.assert(fc.property(deliveries, (all) => assert.deepEqual(outcome(all.reduce(deliver, start)), expected())));
    });

    it('is charged its last total once, and gives the rest of its hold back once', () => {
      fc.assert(fc.property(fc.shuffledSubarray([...checkpoints, ...checkpoints], { minLength: 12 }), (all) => {
        const end = all.reduce(deliver, start);
        assert.equal(end.ledger.filter(({ type }) => type === 'settlement').reduce((sum, { amount }) => sum + amount, 0), -finalTotal);
        assert.deepEqual(end.released, heldDOFs > 0 ? [Math.max(0, heldDOFs - finalTotal)] : []);
        assert.deepEqual([end.session.settledDOFs, end.session.heldDOFs, end.session.settlement], [finalTotal, 0, 'done']);
      }));
    });
  });
}
