import assert from 'node:assert/strict';
import fc from 'fast-check';
import { abandonedCost, acquire, close, isDue, judgeRepeat, post, remaining, type Lease, type Meter, type Posting, type RequestRecord, type TurnClaim } from './meter.ts';

const now = 1_000_000;
const lease: Lease = { requestId: 'r1', fence: 'f1', held: 20, inputPrice: 6, expiresAt: now + 55_000 };
const meter = (parts: Partial<Meter> = {}): Meter => ({ open: true, generation: 1, limit: 100, consumed: 30, checkpointed: 0, expiresAt: now + 600_000, dueAt: now + 60_000, ...parts });
const claim = (parts: Partial<TurnClaim> = {}): TurnClaim => ({ requestId: 'r1', fence: 'f1', held: 20, inputPrice: 6, leaseMs: 55_000, idleMs: 60_000, ...parts });
const posting = (parts: Partial<Posting> = {}): Posting => ({ fence: 'f1', cost: 8, idleMs: 60_000, settleEvery: 1_000, ...parts });

describe('meter: taking the lease', () => {
  it('gives no lease for a price that is no number', () => {
    assert.equal(acquire(meter(), claim({ held: NaN }), now).kind, 'exhausted');
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
    assert.deepEqual(acquire(meter({ turn: lease }), claim({ fence: 'f2' }), now + 54_999), { kind: 'busy', lease: { ...lease }, retryAfterMs: 1 });
  });

  it('finds a turn abandoned when its lease has run out', () => {
    assert.deepEqual(acquire(meter({ turn: lease }), claim({ fence: 'f2' }), now + 55_000), { kind: 'abandoned', lease });
  });

  it('is refused when the estimate does not fit the rest', () => {
    assert.deepEqual(acquire(meter(), claim({ held: 71 }), now), { kind: 'exhausted', remaining: 70 });
    assert.equal(acquire(meter(), claim({ held: 70 }), now).kind, 'leased');
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
    assert.deepEqual(post(meter({ turn: lease }), posting(), now), { meter: { ...idle, consumed: 38, dueAt: now + 60_000 }, checkpoint: null });
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
    const after = (consumed: number, checkpointed: number, cost: number) => post(meter({ consumed, checkpointed, limit: 9_999, turn: lease }), posting({ cost, settleEvery: 10 }), now)!;
    assert.equal(after(0, 0, 9).checkpoint, null);
    assert.equal(after(0, 0, 10).checkpoint, 10);
    assert.equal(after(9, 0, 1).checkpoint, 10);
    assert.equal(after(12, 10, 7).checkpoint, null);
    assert.equal(after(12, 10, 8).meter.checkpointed, 20);
  });

  it('asks for it also when a step jumps over the multiple', () => {
    const jumped = post(meter({ consumed: 95, checkpointed: 90, turn: lease }), posting({ cost: 13, settleEvery: 10 }), now);
    assert.deepEqual([jumped?.checkpoint, jumped?.meter.checkpointed], [108, 108]);
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

describe('meter: a request id that comes again', () => {
  const record: RequestRecord = { hash: 'h', state: 'running', expiresAt: now + 10 };

  it('is new without a record', () => assert.deepEqual(judgeRepeat(null, 'h', now), { kind: 'new' }));

  it('conflicts with another body, whatever became of the first', () => {
    for (const state of ['running', 'done'] as const) {
      for (const expiresAt of [now - 1, now + 1]) assert.deepEqual(judgeRepeat({ ...record, state, expiresAt }, 'other', now), { kind: 'conflict' });
    }
  });

  it('replays a finished turn for good', () => {
    const done: RequestRecord = { ...record, state: 'done', expiresAt: now - 1, reply: 'yes' };
    assert.deepEqual(judgeRepeat(done, 'h', now), { kind: 'replay', record: done });
  });

  it('waits for a running one, and takes over a dead one', () => {
    assert.deepEqual(judgeRepeat(record, 'h', now), { kind: 'running', retryAfterMs: 10 });
    assert.deepEqual(judgeRepeat(record, 'h', now + 10), { kind: 'new' });
  });

  it('costs nothing when its turn never began, the input when it died, and what it recorded when it got that far', () => {
    assert.deepEqual(abandonedCost(lease, null), { cost: 0, estimated: false });
    assert.deepEqual(abandonedCost(lease, record), { cost: 6, estimated: true });
    assert.deepEqual(abandonedCost({ ...lease, held: 4 }, record), { cost: 4, estimated: true });
    assert.deepEqual(abandonedCost(lease, { ...record, state: 'done', cost: 9, estimated: true }), { cost: 9, estimated: true });
    assert.deepEqual(abandonedCost(lease, { ...record, state: 'done' }), { cost: 0, estimated: false });
  });
});

describe('meter: any sequence of turns', () => {
  const steps = fc.array(fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire' as const), fence: fc.nat(2), held: fc.nat(60) }) },
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
          const acquired = acquire(current, claim({ fence: `f${step.fence}`, held: step.held }), clock);
          if (acquired.kind === 'leased') current = acquired.meter;
          if (!before.open) assert.equal(acquired.kind, 'closed');
        } else if (step.do === 'post') {
          const posted = post(current, posting({ fence: `f${step.fence}`, cost: step.cost, settleEvery }), clock);
          if (posted) current = posted.meter;
          if (typeof posted?.checkpoint === 'number') assert.ok(posted.checkpoint === current.consumed && posted.checkpoint >= before.checkpointed + settleEvery);
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
