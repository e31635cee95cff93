import assert from 'node:assert/strict';
import fc from 'fast-check';
import { saidRecord } from '../../test/history.ts';
import { compareTo, complete, pageIdOf, pagesOf, positionOf, toTurn, toTurnView, turnsSince } from './history.ts';
import type { TurnDoc } from './schema.ts';

const turn = (turnId: string, at = 1, parts: Partial<TurnDoc> = {}): TurnDoc => ({ ...toTurn(saidRecord({ turnId, saidAt: at }), 'u1'), ...parts });
const ids = (turns: TurnDoc[]): string[] => turns.map(({ turnId }) => turnId);

describe('a turn of the history', () => {
  it('is what its record says, of the owner unless it names somebody', () => {
    assert.deepEqual(toTurn(saidRecord({ turnId: 't1', saidAt: 5, cost: 7 }), 'u1'), { turnId: 't1', by: 'u1', at: 5, said: 'What about t1?', reply: 'This is t1.', outcome: 'complete', costDOFs: 7 });
    const { reply, cost, ...cut } = saidRecord({ turnId: 't2', saidAt: 6, by: 'u2', outcome: 'cut' });
    assert.ok(reply && cost, 'the database has neither when there is none');
    assert.deepEqual(toTurn(cut as ReturnType<typeof saidRecord>, 'u1'), { turnId: 't2', by: 'u2', at: 6, said: 'What about t2?', reply: '', outcome: 'cut', costDOFs: 0 });
  });

  it('shows its price to the owner only', () => {
    const own = turn('t1', 1_000, { by: 'u2', costDOFs: 7 });
    assert.deepEqual(['u1', 'u2', 'u3'].map((uid) => toTurnView(own, { ownerId: 'u1' }, uid).costDOFs), [7, null, null]);
    assert.deepEqual(toTurnView(own, { ownerId: 'u1' }, 'u2'), { turnId: 't1', memberId: 'u2', at: '1970-01-01T00:00:01.000Z', said: 'What about t1?', reply: 'This is t1.', outcome: 'complete', costDOFs: null });
  });

  it('has its place by its moment, then by its id', () => {
    const order = [turn('b', 1), turn('a', 2), turn('b', 2), turn('a', 3)];
    for (const [left, one] of order.entries()) for (const [right, other] of order.entries()) assert.equal(Math.sign(compareTo(one, positionOf(other))), Math.sign(left - right));
  });
});

describe('a read of turns', () => {
  it('that is not full has all', () => assert.deepEqual(ids(complete([turn('a'), turn('b')], 3, 'first')), ['a', 'b']));

  it('that is full may lack some of the ms at which it was cut', () => {
    const found = [turn('a', 1), turn('b', 1), turn('c', 2), turn('d', 3)];
    assert.deepEqual(ids(complete(found, 4, 'first')), ['c', 'd']);
    assert.deepEqual(ids(complete(found, 4, 'last')), ['a', 'b', 'c']);
    assert.deepEqual(complete([turn('a'), turn('b')], 2, 'last'), []);
  });
});

describe('the pages of an archive', () => {
  it('have fifty turns each, and lack none', () => {
    const turns = Array.from({ length: 120 }, (_, index) => turn(`t${index}`, index));
    const pages = pagesOf(turns);
    assert.deepEqual(pages.map(({ length }) => length), [50, 50, 20]);
    assert.deepEqual(pages.flat(), turns);
    assert.deepEqual(pagesOf([]), []);
  });

  it('fit into their documents, however much was said', () => {
    const long = '語'.repeat(20_000);
    const pages = pagesOf(Array.from({ length: 60 }, (_, index) => turn(`t${index}`, index, { said: long, reply: long })));
    assert.equal(pages.flat().length, 60);
    for (const page of pages) assert.ok(Buffer.byteLength(JSON.stringify(page)) < 500_000 && page.length > 1);
  });

  it('are the same whether the turns come at once or some at a time', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 60 });
    fc.assert(fc.property(sizes, fc.nat(60), (lengths, cut) => {
      const turns = lengths.map((length, index) => turn(`t${index}`, index, { said: 'x'.repeat(length) }));
      const first = pagesOf(turns.slice(0, cut));
      const last = first.pop() ?? [];
      assert.deepEqual([...first, ...pagesOf([...last, ...turns.slice(cut)])].map(ids), pagesOf(turns).map(ids));
    }), { numRuns: 50 });
  });

  it('are in the order of their ids', () => {
    const indexes = [0, 50, 100, 1_000, 99_999];
    assert.deepEqual(indexes.map(pageIdOf).toSorted(), indexes.map(pageIdOf));
  });
});

describe('what a client has missed', () => {
  const newestFirst = [turn('c', 3), turn('b', 2), turn('a', 1)];

  it('is what was said after the turn that it has seen, oldest first', () => {
    assert.deepEqual(ids(turnsSince(newestFirst, 'a')), ['b', 'c']);
    assert.deepEqual(ids(turnsSince(newestFirst, 'c')), []);
  });

  it('is everything when it has seen nothing that is known', () => {
    for (const seen of [undefined, 'x']) assert.deepEqual(ids(turnsSince(newestFirst, seen)), ['a', 'b', 'c']);
  });
});
