import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AgentDoc } from '../agents/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import type { Lot } from './lots.ts';
import { settle } from './settle.ts';

type Checkpoint = Parameters<typeof settle>[0];
type SessionMoney = Pick<SessionDoc, 'settledDOFs' | 'consumedDOFs' | 'heldDOFs' | 'settlement' | 'version'>;
type AgentMoney = Pick<AgentDoc, 'currentDOFs' | 'heldDOFs' | 'debtDOFs' | 'seq'>;

const session = (parts: Partial<SessionMoney> = {}): SessionDoc =>
  ({ settledDOFs: 0, consumedDOFs: 0, heldDOFs: 100, settlement: 'open', version: 1, ...parts }) as SessionDoc;
const agent = (parts: Partial<AgentMoney> = {}): AgentDoc =>
  ({ currentDOFs: 150, heldDOFs: 130, debtDOFs: 0, seq: 1, ...parts }) as AgentDoc;
const lot = (grantId: string, remaining: number): Lot => ({ grantId, remaining, priority: 0, expiresAt: null, createdAt: 0 });
const lots = [lot('a', 50), lot('b', 100)];

describe('settle: a checkpoint of an open session', () => {
  it('debits what came since the last one and takes it out of the hold', () => {
    assert.deepEqual(settle({ total: 70, final: false }, session({ settledDOFs: 10, consumedDOFs: 10, heldDOFs: 90 }), agent(), lots), {
      delta: 60,
      released: 0,
      debits: [{ grantId: 'a', amount: 50 }, { grantId: 'b', amount: 10 }],
      session: { settledDOFs: 70, consumedDOFs: 70, heldDOFs: 30, settlement: 'open', version: 2 },
      agent: { currentDOFs: 90, heldDOFs: 70, debtDOFs: 0, seq: 2 },
    });
  });

  it('has nothing to settle when it is repeated or late', () => {
    const settled = session({ settledDOFs: 70, consumedDOFs: 70, heldDOFs: 30 });
    assert.equal(settle({ total: 70, final: false }, settled, agent(), lots), null);
    assert.equal(settle({ total: 20, final: false }, settled, agent(), lots), null);
  });

  it('leaves a known higher total as it is', () => {
    assert.equal(settle({ total: 20, final: false }, session({ consumedDOFs: 80, settlement: 'pending' }), agent(), lots)?.session.consumedDOFs, 80);
  });

  it('books as debt what no lot covers', () => {
    const settled = settle({ total: 70, final: false }, session(), agent({ debtDOFs: 3 }), [lot('a', 50)]);
    assert.deepEqual(settled?.debits, [{ grantId: 'a', amount: 50 }]);
    assert.deepEqual(settled?.agent, { currentDOFs: 80, heldDOFs: 60, debtDOFs: 23, seq: 2 });
  });

  it('never takes a hold below nothing, nor another session\'s', () => {
    const settled = settle({ total: 120, final: false }, session(), agent(), lots);
    assert.equal(settled?.session.heldDOFs, 0);
    assert.equal(settled?.agent.heldDOFs, 30);
  });
});

describe('settle: the final checkpoint', () => {
  it('debits the rest and releases what is left of the hold', () => {
    const settled = settle({ total: 70, final: true }, session({ settledDOFs: 40, consumedDOFs: 70, heldDOFs: 60, settlement: 'pending' }), agent(), lots);
    assert.equal(settled?.delta, 30);
    assert.equal(settled?.released, 30);
    assert.deepEqual(settled?.session, { settledDOFs: 70, consumedDOFs: 70, heldDOFs: 0, settlement: 'done', version: 2 });
    assert.deepEqual(settled?.agent, { currentDOFs: 120, heldDOFs: 70, debtDOFs: 0, seq: 2 });
  });

  it('releases the hold without a ledger entry when nothing is left to debit', () => {
    const settled = settle({ total: 0, final: true }, session({ settlement: 'pending' }), agent(), lots);
    assert.deepEqual([settled?.delta, settled?.released, settled?.debits], [0, 100, []]);
    assert.deepEqual(settled?.agent, { currentDOFs: 150, heldDOFs: 30, debtDOFs: 0, seq: 1 });
  });

  it('releases nothing of a session that has not ended', () => {
    assert.equal(settle({ total: 0, final: true }, session(), agent(), lots), null);
    const settled = settle({ total: 10, final: true }, session(), agent(), lots);
    assert.deepEqual([settled?.released, settled?.session.settlement, settled?.session.heldDOFs], [0, 'open', 90]);
  });

  it('is the last: afterwards no checkpoint changes anything', () => {
    fc.assert(fc.property(fc.nat(1_000), fc.boolean(), fc.nat(1_000), (total, final, settledDOFs) => {
      assert.equal(settle({ total, final }, session({ settledDOFs, settlement: 'done' }), agent(), lots), null);
    }));
  });
});

/** A session with its agent and lots, as the store would keep them. */
interface Books {
  session: SessionDoc;
  agent: AgentDoc;
  lots: Lot[];
  deltas: number[];
  released: number[];
}

function deliver(books: Books, checkpoint: Checkpoint): Books {
  const ended = checkpoint.final && books.session.settlement === 'open' ? { ...books.session, settlement: 'pending' as const } : books.session;
  const settled = settle(checkpoint, ended, books.agent, books.lots);
  if (!settled) return books;
  const taken = (grantId: string): number => settled.debits.find((debit) => debit.grantId === grantId)?.amount ?? 0;
  return {
    session: { ...ended, ...settled.session },
    agent: { ...books.agent, ...settled.agent },
    lots: books.lots.map((each) => ({ ...each, remaining: each.remaining - taken(each.grantId) })),
    deltas: settled.delta > 0 ? [...books.deltas, settled.delta] : books.deltas,
    released: settled.session.settlement === 'done' ? [...books.released, settled.released] : books.released,
  };
}

const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/** Books of a running session, and its checkpoints with the final one: each delivered, some of them repeatedly, in any order. */
const histories = fc.record({
  held: fc.integer({ min: 1, max: 5_000 }),
  heldByOthers: fc.nat(500),
  remaining: fc.array(fc.nat(2_000), { minLength: 1, maxLength: 5 }),
  endedFirst: fc.boolean(),
}).chain(({ held, heldByOthers, remaining, endedFirst }) => {
  const start: Books = {
    session: session({ heldDOFs: held, settlement: endedFirst ? 'pending' : 'open' }),
    agent: agent({ currentDOFs: sum(remaining), heldDOFs: held + heldByOthers, seq: 0 }),
    lots: remaining.map((amount, index) => lot(`lot-${index}`, amount)),
    deltas: [],
    released: [],
  };
  return fc.array(fc.nat(held), { maxLength: 6 }).chain((totals) => {
    const last: Checkpoint = { total: Math.max(0, ...totals), final: true };
    const all: Checkpoint[] = [...totals.map((total) => ({ total, final: false })), last];
    const deliveries = fc.tuple(fc.array(fc.constantFrom(...all), { maxLength: 8 }), fc.shuffledSubarray(all, { minLength: all.length }));
    return fc.record({ start: fc.constant(start), heldByOthers: fc.constant(heldByOthers), last: fc.constant(last), deliveries: deliveries.map((parts) => parts.flat()) });
  });
});

describe('settle: checkpoints in any order, any number of times', () => {
  it('end in the same books as one delivery of the final one', () => {
    fc.assert(fc.property(histories, ({ start, last, deliveries }) => {
      const once = deliver(start, last);
      const end = deliveries.reduce(deliver, start);
      const { version: _version, ...money } = end.session;
      assert.deepEqual({ ...money, version: once.session.version }, once.session);
      assert.deepEqual({ ...end.agent, seq: once.agent.seq }, once.agent);
      assert.deepEqual(end.lots, once.lots);
    }));
  });

  it('debit the highest total once and release the rest of the hold once', () => {
    fc.assert(fc.property(histories, ({ start, heldByOthers, last, deliveries }) => {
      const end = deliveries.reduce(deliver, start);
      assert.equal(sum(end.deltas), last.total);
      assert.deepEqual(end.released, [start.session.heldDOFs - last.total]);
      const { settledDOFs, consumedDOFs, heldDOFs, settlement } = end.session;
      assert.deepEqual({ settledDOFs, consumedDOFs, heldDOFs, settlement }, { settledDOFs: last.total, consumedDOFs: last.total, heldDOFs: 0, settlement: 'done' });
      assert.equal(end.agent.heldDOFs, heldByOthers);
    }));
  });

  it('keep balance, ledger and lots in step after every delivery', () => {
    fc.assert(fc.property(histories, ({ start, deliveries }) => {
      let books = start;
      for (const checkpoint of deliveries) {
        books = deliver(books, checkpoint);
        assert.equal(books.agent.currentDOFs, start.agent.currentDOFs - sum(books.deltas));
        assert.equal(books.agent.currentDOFs, sum(books.lots.map((each) => each.remaining)) - books.agent.debtDOFs);
        assert.equal(books.agent.seq, books.deltas.length);
        assert.equal(start.session.heldDOFs, books.session.settledDOFs + sum(books.released) + books.session.heldDOFs);
      }
    }));
  });
});
