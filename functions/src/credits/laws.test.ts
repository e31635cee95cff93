import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AppError } from '../runtime/errors.ts';
import { agent, assertBooks, at, lot, moment } from '../../test/money.ts';
import { change, type Balance, type Draft, type Entry } from './balance.ts';
import { debit, grantLot, lapseLots, voidLot } from './grants.ts';
import { extendHold, placeHold, postHold, resolveHold } from './holds.ts';
import { availableIn } from './lots.ts';

type Step =
  | { do: 'grant'; amount: number; priority: number; livesMs: number | null; rolls: number | null }
  | { do: 'place' | 'extend' | 'post'; hold: string; amount: number }
  | { do: 'release'; hold: string }
  | { do: 'void'; grant: number }
  | { do: 'debit'; amount: number }
  | { do: 'wait'; ms: number }
  | { do: 'lapse' };

const holdId = fc.constantFrom('h1', 'h2', 'h3');
const amount = fc.integer({ min: 1, max: 120 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grant' as const), amount, priority: fc.nat(2), livesMs: fc.option(fc.integer({ min: 1, max: 20 })), rolls: fc.option(fc.integer({ min: 1, max: 60 })) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('place' as const), hold: holdId, amount }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('extend' as const), hold: holdId, amount }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('post' as const), hold: holdId, amount }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), hold: holdId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('void' as const), grant: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('debit' as const), amount }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lapse' as const) }) },
);

/** The books of one agent, from its first day on. */
interface Books {
  balance: Balance;
  ledger: Entry[];
  now: number;
  /** Numbers the operations. */
  count: number;
}
const empty: Books = { balance: agent(), ledger: [], now: moment, count: 0 };

function act(draft: Draft, step: Exclude<Step, { do: 'wait' }>, { now, count }: Books): void {
  const because = { reason: 'a test', actor: 'admin-1' };
  switch (step.do) {
    case 'grant': {
      const { amount: granted, priority, livesMs, rolls } = step;
      const { remaining: _remaining, voided: _voided, ...parts } = lot(0, { priority, createdAt: at(now), expiresAt: livesMs === null ? null : at(now + livesMs), rollover: rolls === null ? null : { maxDOFs: rolls, days: 3 } });
      return grantLot(draft, `grant-${count}`, granted, parts, { type: 'grant', operationId: `grant-${count}` }, now);
    }
    case 'place': return draft.holds[step.hold] ? undefined : placeHold(draft, step.hold, step.amount, { sessionId: null, expiresAt: at(now + 50), createdAt: at(now) }, now);
    case 'extend': return draft.holds[step.hold] ? extendHold(draft, step.hold, step.amount, now) : undefined;
    case 'post': return postHold(draft, step.hold, step.amount, { type: 'settlement', operationId: `post-${count}` }, now);
    case 'release': return draft.holds[step.hold] ? void resolveHold(draft, step.hold, 'released') : undefined;
    case 'void': return void voidLot(draft, `grant-${step.grant}`, because, now);
    case 'debit': return debit(draft, step.amount, { type: 'adjustment', operationId: `debit-${count}`, ...because }, now);
    // A "day" of these tests is one ms.
    case 'lapse': return void lapseLots(draft, now, (from, days) => at(from.toMillis() + days));
  }
}

/** The books after a step; one that is refused leaves them as they are. */
function taken(books: Books, step: Step): Books {
  if (step.do === 'wait') return { ...books, now: books.now + step.ms };
  const before = JSON.stringify(books.balance);
  const count = books.count + 1;
  try {
    const { balance, entries } = change(books.balance, books.now, (draft) => act(draft, step, books));
    return { ...books, balance, ledger: [...books.ledger, ...entries], count };
  } catch (error) {
    assert.ok(error instanceof AppError, `${String(error)} after ${JSON.stringify(step)}`);
    return { ...books, count };
  } finally {
    assert.equal(JSON.stringify(books.balance), before);
  }
}

const histories = fc.array(anyStep, { maxLength: 40, size: 'max' });

describe('the books, whatever happens', () => {
  it('balance after every step: ledger, lots, holds and debt agree', () => {
    fc.assert(fc.property(histories, (steps) => {
      let books = empty;
      for (const step of steps) {
        books = taken(books, step);
        assertBooks(books.balance, books.ledger);
      }
    }), { numRuns: 500 });
  });

  it('never show a debt beside DOFs that could repay it', () => {
    fc.assert(fc.property(histories, (steps) => {
      let books = empty;
      for (const step of steps) {
        books = taken(books, step);
        const { balance: { debtDOFs, lots, holds }, now } = books;
        if (step.do !== 'wait') assert.ok(debtDOFs === 0 || availableIn(lots, holds, now) === 0);
      }
    }));
  });

  it('let nobody spend more than was granted, and lose nothing on the way', () => {
    fc.assert(fc.property(histories, (steps) => {
      const { balance, ledger } = steps.reduce(taken, empty);
      const sum = (...types: Entry['type'][]): number => ledger.filter(({ type }) => types.includes(type)).reduce((total, { amount: each }) => total + each, 0);
      assert.equal(sum('grant') + sum('settlement', 'adjustment', 'void', 'expiry'), balance.currentDOFs);
      assert.equal(sum('repayment'), 0);
      assert.ok(sum('grant') >= 0 && sum('settlement', 'adjustment') <= 0 && sum('void', 'expiry') <= 0);
    }));
  });

  it('have nothing due any more once the sweep has been there and every hold is gone', () => {
    fc.assert(fc.property(histories, (steps) => {
      let books = steps.reduce(taken, empty);
      for (const hold of Object.keys(books.balance.holds)) books = taken(books, { do: 'release', hold });
      // A lot that rolls over may be over itself already: one more sweep.
      for (let sweep = 0; sweep < 2; sweep++) books = taken(books, { do: 'lapse' });
      assert.ok(books.balance.dueAt === null || books.balance.dueAt.toMillis() > books.now);
      assert.equal(availableIn(books.balance.lots, books.balance.holds, books.now), books.balance.currentDOFs + books.balance.debtDOFs);
    }));
  });
});
