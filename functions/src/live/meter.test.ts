import assert from 'node:assert/strict';
import fc from 'fast-check';
import { outdated, withStream } from './kept-streams.ts';
import { acquire, close, isDue, post, remaining, withMembers, type Lease, type Meter, type Posting, type TurnClaim } from './meter.ts';
import { withdraw } from './withdrawal.ts';

const now = 1_000_000;
const lease: Lease = { requestId: 'r1', fence: 'f1', held: 20, inputPrice: 6, expiresAt: now + 55_000 };
const meter = (parts: Partial<Meter> = {}): Meter => ({ open: true, generation: 1, limit: 100, consumed: 30, checkpointed: 0, expiresAt: now + 600_000, dueAt: now + 60_000, ...parts });
const claim = (parts: Partial<TurnClaim> = {}): TurnClaim => ({ requestId: 'r1', fence: 'f1', held: 20, least: 20, floor: 5, inputPrice: 6, leaseMs: 55_000, idleMs: 60_000, ...parts });
const posting = (parts: Partial<Posting> = {}): Posting => ({ fence: 'f1', cost: 8, streamed: false, idleMs: 60_000, settleEvery: 1_000, ...parts });

describe('meter: taking the lease', () => {
  it('gives no lease for a price that is no number', () => {
    for (const price of [{ held: NaN }, { least: NaN }]) assert.equal(acquire(meter(), claim(price), now).kind, 'exhausted');
  });

  it('holds the DOFs of the turn and falls due when lease and idle time are over', () => {
    assert.deepEqual(acquire(meter(), claim(), now), { kind: 'leased', meter: { ...meter(), turn: lease, dueAt: now + 55_000 + 60_000 } });
  });

  it('fails closed: no meter, no turn', () => {
    assert.deepEqual(acquire(null, claim(), now), { kind: 'closed', reason: 'unknown' });
  });

  it('is refused by a closed meter, which says why', () => {
    assert.deepEqual(acquire(meter({ open: false, closeReason: 'idle' }), claim(), now), { kind: 'closed', reason: 'idle' });
    assert.deepEqual(acquire(meter({ open: false }), claim(), now), { kind: 'closed', reason: 'unknown' });
  });

  it('fences a client of another generation, and takes one that does not say', () => {
    assert.deepEqual(acquire(meter({ generation: 3 }), claim({ generation: 2 }), now), { kind: 'superseded', generation: 3 });
    assert.equal(acquire(meter({ generation: 3 }), claim({ generation: 3 }), now).kind, 'leased');
    assert.equal(acquire(meter({ generation: 3 }), claim(), now).kind, 'leased');
  });

  it('is refused once the time of the session is over', () => {
    assert.deepEqual(acquire(meter({ expiresAt: now }), claim(), now), { kind: 'expired' });
    assert.equal(acquire(meter({ expiresAt: now + 1 }), claim(), now).kind, 'leased');
  });

  it('waits for the turn in flight', () => {
    assert.deepEqual(acquire(meter({ turn: lease }), claim({ fence: 'f2' }), now + 54_999), { kind: 'busy', meter: meter({ turn: lease }), retryAfterMs: 1 });
  });

  it('finds a turn abandoned when its lease has run out', () => {
    assert.deepEqual(acquire(meter({ turn: lease }), claim({ fence: 'f2' }), now + 55_000), { kind: 'abandoned', meter: meter({ turn: lease }) });
  });

  it('gives its holder the same lease again, when the first answer got lost', () => {
    const { meter: first } = acquire(meter(), claim(), now) as { meter: Meter };
    assert.deepEqual(acquire(first, claim(), now + 60_000), { kind: 'leased', meter: first });
  });

  it('is refused when what is left does not cover the least', () => {
    assert.deepEqual(acquire(meter(), claim({ held: 71, least: 71 }), now), { kind: 'exhausted', remaining: 70, limit: 100, missing: 1 });
    assert.equal(acquire(meter(), claim({ held: 70, least: 70 }), now).kind, 'leased');
    assert.deepEqual(acquire(meter({ consumed: 100 }), claim({ least: 1 }), now), { kind: 'exhausted', remaining: 0, limit: 100, missing: 20 });
  });

  it('holds what is left, down to the least, when that is less than the turn can cost', () => {
    for (const [held, expected] of [[69, 69], [70, 70], [71, 70], [900, 70]] as const) {
      const acquired = acquire(meter(), claim({ held, least: 8 }), now);
      assert.equal(acquired.kind === 'leased' && acquired.meter.turn?.held, expected);
    }
    assert.equal(acquire(meter({ consumed: 92 }), claim({ held: 20, least: 8 }), now).kind, 'leased');
    assert.equal(acquire(meter({ consumed: 93 }), claim({ held: 20, least: 8 }), now).kind, 'exhausted');
  });
});

describe('meter: waiting for the lease', () => {
  const waits = { since: now, until: now + 20_000, most: 2 };
  const ticket = { place: 1, at: now, until: now + 20_000 };
  const waiting = meter({ queue: { f2: ticket }, freeAt: now });

  it('takes a place behind the turn in flight, and keeps it', () => {
    const queued = acquire(meter({ turn: lease }), claim({ fence: 'f2', waits }), now);
    assert.deepEqual(queued, { kind: 'queued', meter: meter({ turn: lease, queue: { f2: ticket } }) });
    assert.deepEqual(acquire(meter({ turn: lease, queue: { f2: ticket } }), claim({ fence: 'f2', waits }), now + 5), queued);
  });

  it('is refused when its time is over, and when as many wait as may', () => {
    const busy = { kind: 'busy', meter: meter({ turn: lease }), retryAfterMs: 35_000 };
    assert.deepEqual(acquire(meter({ turn: lease }), claim({ fence: 'f2', waits }), now + 20_000), busy);
    const full = meter({ turn: lease, queue: { f2: ticket, f3: { ...ticket, place: 2 } } });
    assert.deepEqual(acquire(full, claim({ fence: 'f4', waits }), now), { kind: 'busy', meter: full, retryAfterMs: 55_000 });
  });

  it('is no use to who may not take turns at all: they are told so at once', () => {
    const shared = meter({ turn: lease, members: { p1: { role: 'player', cap: 3 }, s1: { role: 'spectator' } }, expiresAt: now + 10 });
    const kinds = [{ by: 'p1' }, { by: 's1' }, { by: 'x1' }, { generation: 9 }].map((parts) => acquire(shared, claim({ fence: 'f2', waits, ...parts }), now).kind);
    assert.deepEqual(kinds, ['capped', 'spectator', 'stranger', 'superseded']);
    assert.equal(acquire(shared, claim({ fence: 'f2', waits }), now + 10).kind, 'expired');
    assert.equal(acquire({ ...shared, open: false }, claim({ fence: 'f2', waits }), now).kind, 'closed');
  });

  it('is over for the first as soon as the meter is free: its ticket goes with the lease, and those of the dead', () => {
    const queue = { f2: ticket, f3: { ...ticket, place: 2 }, f4: { ...ticket, place: 3, until: now } };
    const { turn: _turn, ...taken } = (acquire(meter({ queue, freeAt: now }), claim({ fence: 'f2', waits }), now) as { meter: Meter }).meter;
    assert.deepEqual(taken, meter({ queue: { f3: { ...ticket, place: 2 } }, freeAt: now, dueAt: now + 55_000 + 60_000 }));
    assert.equal('queue' in (acquire(waiting, claim({ fence: 'f2', waits }), now) as { meter: Meter }).meter, false);
  });

  it('comes before who does not wait', () => {
    assert.deepEqual(acquire(waiting, claim({ fence: 'f3' }), now), { kind: 'busy', meter: waiting, retryAfterMs: 2_000 });
    assert.equal(acquire(waiting, claim({ fence: 'f3', waits }), now + 1_999).kind, 'queued');
    assert.equal(acquire(waiting, claim({ fence: 'f3' }), now + 2_000).kind, 'leased', 'the one who waited has died');
  });

  it('counts from when the turn before it ended; a meter for which nobody waits does not note that', () => {
    assert.equal(post(meter({ turn: lease, queue: { f2: ticket } }), posting(), now + 7)?.meter.freeAt, now + 7);
    assert.equal(post(meter({ turn: lease }), posting(), now + 7)?.meter.freeAt, undefined);
  });

  it('is counted when it was long', () => {
    const counted = (at: number, longWaits?: number) => (acquire({ ...waiting, ...(longWaits === undefined ? {} : { longWaits }) }, claim({ fence: 'f2', waits }), at) as { meter: Meter }).meter.longWaits;
    assert.deepEqual([counted(now + 2_000), counted(now + 2_001), counted(now + 2_001, 4), counted(now, 4)], [undefined, 1, 5, 4]);
  });

  it('ends with nothing left behind by who gives up: no ticket, and no lease that was never heard of', () => {
    const { turn: _turn, ...idle } = meter({ turn: lease });
    const given = (of: Meter, unpaid: boolean) => withdraw(of, 'f1', { unpaid, idleMs: 60_000 }, now);
    assert.deepEqual(given(meter({ queue: { f1: ticket, f2: ticket } }), true), meter({ queue: { f2: ticket } }));
    assert.deepEqual(given(meter({ turn: lease }), true), { ...idle, dueAt: now + 60_000 });
    assert.deepEqual(given(meter({ turn: lease, queue: { f1: ticket } }), false), meter({ turn: lease }), 'what was charged is posted by who charged it');
    for (const other of [meter(), meter({ turn: { ...lease, fence: 'f2' }, queue: { f2: ticket } })]) assert.deepEqual(given(other, true), other);
  });
});

describe('meter: streams', () => {
  const ended = (streams: string[] | undefined, streamed: boolean) => post(meter({ turn: lease, ...(streams ? { streams } : {}) }), posting({ streamed }), now)?.meter.streams;

  it('of the last six turns that have one stay', () => {
    assert.deepEqual([ended(undefined, true), ended(['a'], true), ended(['a', 'b'], false), ended(undefined, false)], [['f1'], ['a', 'f1'], ['a', 'b'], undefined]);
    assert.deepEqual(ended(['a', 'b', 'c', 'd', 'e'], true), ['a', 'b', 'c', 'd', 'e', 'f1']);
    assert.deepEqual(ended(['a', 'b', 'c', 'd', 'e', 'f'], true), ['b', 'c', 'd', 'e', 'f', 'f1']);
  });

  it('go with the end of a turn, exactly those that do not stay', () => {
    for (const streams of [undefined, [], ['a'], ['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'c', 'd', 'e', 'f'], ['a', 'b', 'c', 'd', 'e', 'f', 'g']]) {
      assert.deepEqual([...outdated(streams), ...withStream(streams, 'x')], [...streams ?? [], 'x']);
      assert.ok(withStream(streams, 'x').length <= 6);
    }
  });
});

describe('meter: what is left', () => {
  it('counts the turn in flight as spent, and never goes below nothing', () => {
    assert.equal(remaining(meter()), 70);
    assert.equal(remaining(meter({ turn: lease })), 50);
    assert.equal(remaining(meter({ consumed: 120 })), 0);
  });
});

describe('meter: posting a turn', () => {
  const { turn: _turn, ...idle } = meter({ turn: lease });

  it('turns the hold into the price and gives the lease back', () => {
    assert.deepEqual(post(meter({ turn: lease }), posting(), now), { meter: { ...idle, consumed: 38, dueAt: now + 60_000 }, checkpointDue: false });
  });

  it('does nothing for a holder whose lease was resolved already', () => {
    for (const other of [null, meter(), meter({ turn: { ...lease, fence: 'f2' } })]) assert.equal(post(other, posting(), now), null);
  });

  it('charges no more than was held', () => {
    assert.equal(post(meter({ turn: lease }), posting({ cost: 999 }), now)?.meter.consumed, 50);
  });

  it('keeps the fingerprint of the last frame until there is a newer one', () => {
    assert.equal(post(meter({ turn: lease, scene: 'old' }), posting(), now)?.meter.scene, 'old');
    assert.equal(post(meter({ turn: lease, scene: 'old' }), posting({ scene: 'new' }), now)?.meter.scene, 'new');
  });

  it('asks for a checkpoint exactly when enough has come together', () => {
    const due = (consumed: number, checkpointed: number, cost: number) => post(meter({ consumed, checkpointed, limit: 9_999, turn: lease }), posting({ cost, settleEvery: 10 }), now)!.checkpointDue;
    assert.deepEqual([due(0, 0, 9), due(0, 0, 10), due(9, 0, 1), due(12, 10, 7), due(12, 10, 8), due(95, 90, 13)], [false, true, true, false, true, true]);
  });

  it('asks again with every turn until the checkpoint has been noted', () => {
    const first = post(meter({ consumed: 0, turn: lease }), posting({ cost: 12, settleEvery: 10 }), now)!;
    assert.deepEqual([first.checkpointDue, first.meter.checkpointed], [true, 0]);
    assert.equal(post({ ...first.meter, turn: lease }, posting({ cost: 0, settleEvery: 10 }), now)?.checkpointDue, true);
    assert.equal(post({ ...first.meter, checkpointed: 12, turn: lease }, posting({ cost: 0, settleEvery: 10 }), now)?.checkpointDue, false);
  });

  it('still posts on a meter that was closed meanwhile, without putting its end off', () => {
    const closed = close(meter({ turn: lease }), 'user', now);
    assert.deepEqual(post(closed, posting(), now + 1_000)?.meter, { ...idle, open: false, closeReason: 'user', consumed: 38, dueAt: now + 60_000 });
    const { dueAt: _dueAt, ...mirrored } = closed;
    assert.equal(post(mirrored, posting(), now + 1_000)?.meter.dueAt, now + 1_000);
  });
});

describe('meter: closing', () => {
  it('lets no further turn start and leaves a minute to finish the end', () => {
    assert.deepEqual(close(meter({ turn: lease }), 'idle', now), { ...meter({ turn: lease }), open: false, closeReason: 'idle', dueAt: now + 60_000 });
  });

  it('keeps the first reason', () => {
    const closed = close(meter(), 'idle', now);
    assert.equal(close(closed, 'user', now + 5), closed);
  });

  it('is due when its moment has come and no turn is running', () => {
    assert.equal(isDue(meter({ dueAt: now + 1 }), now), false);
    assert.equal(isDue(meter({ dueAt: now }), now), true);
    assert.equal(isDue(meter({ dueAt: now, turn: lease }), now), false);
    assert.equal(isDue(meter({ dueAt: now, turn: { ...lease, expiresAt: now } }), now), true);
    const { dueAt: _dueAt, ...finished } = meter({ open: false });
    assert.equal(isDue(finished, now), false);
  });
});

describe('meter: any sequence of turns', () => {
  const steps = fc.array(fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire' as const), fence: fc.nat(2), held: fc.nat(60), least: fc.nat(60), waits: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), fence: fc.nat(2) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('post' as const), fence: fc.nat(2), cost: fc.nat(80) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(120_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
  ), { maxLength: 60 });

  it('never spends more than the limit, misses no checkpoint, and starts no turn once closed', () => {
    fc.assert(fc.property(steps, fc.nat(200), fc.integer({ min: 1, max: 50 }), (all, limit, settleEvery) => {
      let current = meter({ limit, consumed: 0 });
      let clock = now;
      for (const step of all) {
        const before = current;
        if (step.do === 'acquire') {
          const waits = { waits: { since: clock, until: clock + 20_000, most: 2 } };
          const acquired = acquire(current, claim({ fence: `f${step.fence}`, held: Math.max(step.held, step.least), least: step.least, ...(step.waits ? waits : {}) }), clock);
          if (acquired.kind === 'leased' || acquired.kind === 'queued') current = acquired.meter;
          if (acquired.kind === 'queued') assert.deepEqual({ ...current, queue: null }, { ...before, queue: null });
          if (!before.open) assert.equal(acquired.kind, 'closed');
        } else if (step.do === 'post') {
          const posted = post(current, posting({ fence: `f${step.fence}`, cost: step.cost, settleEvery }), clock);
          if (posted) current = posted.meter;
          assert.equal(posted?.checkpointDue ?? false, current.consumed - current.checkpointed >= settleEvery);
          // As the store notes it; a checkpoint that fails is asked for again, which is not played here.
          if (posted?.checkpointDue) current = { ...current, checkpointed: current.consumed };
        } else if (step.do === 'leave') {
          current = withdraw(current, `f${step.fence}`, { unpaid: true, idleMs: 60_000 }, clock);
          assert.equal(current.consumed, before.consumed);
        } else if (step.do === 'close') {
          current = close(current, 'user', clock);
        } else {
          clock += step.ms;
        }
        assert.ok(current.consumed >= before.consumed && current.consumed + (current.turn?.held ?? 0) <= limit);
        assert.ok(current.consumed - current.checkpointed < settleEvery);
        assert.ok(before.open || !current.open);
      }
    }));
  });
});

describe('meter: members', () => {
  const shared = (parts: Partial<Meter> = {}): Meter => meter({ members: { p1: { role: 'player' }, p2: { role: 'player', cap: 25 }, s1: { role: 'spectator' } }, membersVersion: 3, ...parts });

  it('take turns as players, watch as spectators, and are nobody otherwise', () => {
    assert.deepEqual([undefined, 'p1', 'p2', 's1', 'x1'].map((by) => acquire(shared(), claim(by === undefined ? {} : { by }), now).kind), ['leased', 'leased', 'leased', 'spectator', 'stranger']);
    assert.equal(acquire(meter(), claim({ by: 'p1' }), now).kind, 'stranger');
  });

  it('are told nothing of a session that they are not part of, not even that it is over', () => {
    assert.equal(acquire(shared({ open: false, closeReason: 'idle' }), claim({ by: 'x1' }), now).kind, 'stranger');
    assert.equal(acquire(shared({ open: false, closeReason: 'idle' }), claim({ by: 'p1' }), now).kind, 'closed');
  });

  it('hold no more than their cap leaves, and nothing when that is less than a turn needs', () => {
    const held = (spent: number) => {
      const acquired = acquire(shared({ spent: { p2: spent } }), claim({ by: 'p2' }), now);
      return acquired.kind === 'leased' ? acquired.meter.turn?.held : acquired;
    };
    assert.deepEqual([held(0), held(5), held(15), held(20)], [20, 20, 10, 5]);
    assert.deepEqual(held(21), { kind: 'capped', cap: 25, spent: 21 });
    assert.deepEqual(held(99), { kind: 'capped', cap: 25, spent: 99 });
  });

  it('have what they consume counted, also when they have left meanwhile; the owner has not', () => {
    const after = (by: string | undefined, before: Meter) => post({ ...before, turn: { ...lease, ...(by === undefined ? {} : { by }) } }, posting({ cost: 8 }), now)?.meter.spent;
    assert.deepEqual(after('p1', shared({ spent: { p1: 2, p2: 1 } })), { p1: 10, p2: 1 });
    assert.deepEqual(after('p1', meter()), { p1: 8 });
    assert.equal(after(undefined, shared()), undefined);
  });

  it('never consume more than their cap, whatever their turns cost', () => {
    fc.assert(fc.property(fc.array(fc.record({ held: fc.integer({ min: 5, max: 40 }), cost: fc.nat(60) }), { maxLength: 20 }), (turns) => {
      let state = shared({ limit: 10_000 });
      for (const [index, { held, cost }] of turns.entries()) {
        const acquired = acquire(state, claim({ by: 'p2', fence: `f${index}`, held, least: 5 }), now);
        if (acquired.kind !== 'leased') continue;
        state = post(acquired.meter, posting({ fence: `f${index}`, cost }), now)!.meter;
        assert.ok((state.spent?.['p2'] ?? 0) <= 25);
      }
    }));
  });

  it('are those that were made members, not what an object has by itself', () => {
    assert.equal(acquire(shared(), claim({ by: 'constructor' }), now).kind, 'stranger');
  });

  it('are those of the latest version of the session', () => {
    const changed = withMembers(shared(), { p3: { role: 'player' } }, 4);
    assert.deepEqual([changed.members, changed.membersVersion], [{ p3: { role: 'player' } }, 4]);
    assert.equal(withMembers(changed, { p1: { role: 'player' } }, 4), changed);
    assert.deepEqual(Object.keys(withMembers(changed, {}, 5)).includes('members'), false);
  });
});
