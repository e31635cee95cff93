import assert from 'node:assert/strict';
import fc from 'fast-check';
import { play, type Caller } from '../../test/line.ts';
import { headStartMs, inLine, living, turnAt, withoutTicket, withTicket, type LineOf, type Ticket } from './queue.ts';

const now = 1_000_000;
const ticket = (place: number, parts: Partial<Ticket> = {}): Ticket => ({ place, at: now, until: now + 20_000, ...parts });
const waits = { since: now, until: now + 20_000, most: 3 };

describe('queue: tickets', () => {
  it('are given in the order of arrival, and once to each', () => {
    const one = withTicket({}, 'f1', waits, undefined, now)!;
    const two = withTicket({ queue: one }, 'f2', waits, undefined, now + 1)!;
    assert.deepEqual(two, { f1: ticket(1), f2: ticket(2) });
    assert.deepEqual(withTicket({ queue: two }, 'f1', { ...waits, since: now + 5 }, undefined, now + 5), two);
  });

  it('are given behind everybody who waits, whoever has gone meanwhile', () => {
    assert.equal(withTicket({ queue: { f3: ticket(3) } }, 'f4', waits, undefined, now)!['f4']!.place, 4);
  });

  it('say who asks, where that is not the owner', () => {
    assert.deepEqual(withTicket({ members: { p1: {} } }, 'f1', waits, 'p1', now), { f1: ticket(1, { by: 'p1' }) });
  });

  it('of one member are half of them at most', () => {
    const queue = { f1: ticket(1, { by: 'p1' }), f2: ticket(2, { by: 'p1' }) };
    const members = { p1: {}, p2: {} };
    assert.equal(withTicket({ queue, members }, 'f3', waits, 'p1', now), null);
    assert.ok(withTicket({ queue, members }, 'f3', waits, 'p2', now)?.['f3']);
  });

  it('are as many as may wait at once; the dead and those of who is no member any more do not count', () => {
    const queue = { f1: ticket(1), f2: ticket(2, { by: 'p1' }), f3: ticket(3) };
    const members = { p1: {} };
    const full = (by?: string) => withTicket({ queue, members: { ...members, p2: {} } }, 'f4', waits, by, now) === null;
    assert.deepEqual([full('p2'), full(), full('p1')], [true, false, true], 'the owner finds a place among those of others');
    const own = { f1: ticket(1), f2: ticket(2), f3: ticket(3) };
    assert.equal(withTicket({ queue: own }, 'f4', waits, undefined, now), null);
    assert.deepEqual(withTicket({ queue }, 'f4', waits, 'p2', now), { ...queue, f4: ticket(4, { by: 'p2' }) });
    const dead = { ...own, f1: ticket(1, { until: now }) };
    assert.deepEqual(withTicket({ queue: dead }, 'f4', waits, undefined, now), { ...dead, f4: ticket(4) });
    assert.equal(withTicket({ queue, members }, 'f3', waits, undefined, now), queue, 'who has one keeps it');
    assert.deepEqual([Object.keys(living({ queue, members }, now)), Object.keys(living({ queue }, now)), Object.keys(living({ queue: dead }, now))], [['f1', 'f2', 'f3'], ['f1', 'f3'], ['f2', 'f3']]);
  });

  it('go one by one; none is no field', () => {
    assert.deepEqual(withoutTicket({ queue: { f1: ticket(1), f2: ticket(2) } }, 'f2'), { f1: ticket(1) });
    assert.deepEqual(withoutTicket({}, 'f2'), {});
    assert.deepEqual(inLine({ freeAt: 1, queue: { f1: ticket(1) } }, {}), { freeAt: 1 });
  });
});

describe('queue: whose turn it is', () => {
  const line = (parts: Partial<LineOf> = {}): LineOf => ({ queue: { f1: ticket(1), f2: ticket(2), f3: ticket(3) }, freeAt: now, ...parts });
  const each = (of: LineOf) => ['f1', 'f2', 'f3', 'x'].map((fence) => turnAt(of, fence));

  it('is the first at once, everybody else after a head start for each who is ahead; who has no ticket is last', () => {
    assert.deepEqual(each(line()), [0, now + headStartMs, now + 2 * headStartMs, now + 3 * headStartMs]);
    assert.equal(turnAt({}, 'x'), 0);
  });

  it('is anybody when the meter has been free for ever', () => {
    const { freeAt: _freeAt, ...free } = line();
    assert.deepEqual(each(free), [0, headStartMs, 2 * headStartMs, 3 * headStartMs]);
  });

  it('is nobody before the turn in flight must be over', () => {
    const over = now + 55_000;
    assert.deepEqual(each(line({ turn: { expiresAt: over }, queue: { f1: ticket(1, { until: over + 1 }) } })), [over, over + 1, over + 1, over + 1]);
    assert.deepEqual(each(line({ turn: { expiresAt: over } })), [over, over, over, over], 'all tickets are dead by then');
  });

  it('waits for nobody who is past its time, and for the next from then on', () => {
    const queue = { f1: ticket(1, { until: now + 500 }), f2: ticket(2), f3: ticket(3) };
    assert.deepEqual(each(line({ queue })), [0, now + 500, now + 500 + headStartMs, now + 500 + 2 * headStartMs]);
    assert.deepEqual(each(line({ queue: { ...queue, f1: ticket(1, { until: now - 500 }) } })), [0, now - 500, now + headStartMs, now + 2 * headStartMs]);
  });

  it('waits for nobody who is a member no more', () => {
    const queue = { f1: ticket(1, { by: 'p1' }), f2: ticket(2) };
    assert.equal(turnAt({ queue, freeAt: now }, 'f2'), 0);
    assert.equal(turnAt({ queue, freeAt: now, members: { p1: {} } }, 'f2'), now + headStartMs);
  });

  it('is not put off by a clock that is ahead, once all who were ahead are past their time', () => {
    assert.equal(turnAt(line({ freeAt: now + 600_000 }), 'x'), now + 20_000);
  });
});

describe('queue: callers at one meter', () => {
  const limits = { most: 3, waitMs: 20_000, leaseMs: 55_000 };
  const caller = (parts: Partial<Caller> = {}): Caller => ({ arrivesAt: 0, waits: true, turnMs: 1_000, reactsMs: 0, dies: 'never', leavesAfterMs: null, ...parts });

  /** What the five rules say of a play. Money is the meter's: see its own tests. */
  const check = (callers: Caller[]): void => {
    const { turns, tickets, refused, longest } = play(callers, limits);
    const placeOf = (index: number): number => tickets.findIndex((each) => each.caller === index);
    for (const [index, { caller, from, to, freeAt }] of turns.entries()) {
      const later = turns.slice(index + 1);
      assert.ok(later.every((each) => each.from >= to), 'one lease at a time');
      const place = placeOf(caller);
      const ahead = tickets.filter((each, other) => (place === -1 ? each.at < from : other < place));
      const passedOver = ahead.filter((each) => later.some((turn) => turn.caller === each.caller && from < callers[each.caller]!.arrivesAt + limits.waitMs));
      assert.deepEqual(passedOver, [], 'in the order of arrival, callers without a ticket behind everybody');
      const lost = ahead.filter((each) => !turns.slice(0, index).some((turn) => turn.caller === each.caller));
      assert.ok(from - freeAt <= lost.length * headStartMs + callers[caller]!.reactsMs, 'who does not go costs those behind a head start');
    }
    assert.ok(longest <= limits.most, 'no more wait than may');
    for (const { caller: index, at, waiting } of refused) {
      const { arrivesAt, waits: patient, reactsMs } = callers[index]!;
      if (!patient) assert.equal(at, arrivesAt);
      else assert.ok(at === arrivesAt ? waiting === limits.most : at >= arrivesAt + limits.waitMs && at <= arrivesAt + limits.waitMs + reactsMs, 'who waits is refused by a full line or when its time is over');
    }
    const heard = new Set([...turns.map((turn) => turn.caller), ...refused.map((each) => each.caller)]);
    for (const [index, { dies, leavesAfterMs }] of callers.entries()) if (dies !== 'waiting' && leavesAfterMs === null) assert.ok(heard.has(index), 'everybody who lives and stays is answered');
  };

  it('are served in order, whoever of them is dead, in every combination', () => {
    const kinds: Partial<Caller>[] = [{}, { dies: 'waiting' }, { dies: 'holding' }, { waits: false }, { leavesAfterMs: 700 }, { reactsMs: headStartMs - 1 }];
    const combinations = (count: number): Partial<Caller>[][] => (count === 0 ? [[]] : combinations(count - 1).flatMap((others) => kinds.map((kind) => [...others, kind])));
    for (const combination of combinations(4)) check([caller({ turnMs: 1_500 }), ...combination.map((kind, index) => caller({ ...kind, arrivesAt: 100 * (index + 1) }))]);
  });

  it('are served in order, whenever they come, leave and die', () => {
    const any = fc.record<Caller>({
      arrivesAt: fc.nat(40_000), waits: fc.boolean(), turnMs: fc.nat(15_000), reactsMs: fc.nat(headStartMs - 1),
      dies: fc.constantFrom('never', 'never', 'never', 'waiting', 'holding'), leavesAfterMs: fc.option(fc.nat(25_000), { freq: 4 }),
    });
    fc.assert(fc.property(fc.array(any, { minLength: 1, maxLength: 14 }), check), { numRuns: 1_000 });
  });

  it('wait no longer than for those before them', () => {
    const { turns } = play([caller(), caller({ arrivesAt: 10 }), caller({ arrivesAt: 20, dies: 'waiting' }), caller({ arrivesAt: 30 })], limits);
    assert.deepEqual(turns.map((turn) => [turn.caller, turn.from]), [[0, 0], [1, 1_000], [3, 2_000 + headStartMs]]);
  });
});
