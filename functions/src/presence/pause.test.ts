import assert from 'node:assert/strict';
import fc from 'fast-check';
import { acquire, close, isDue, post, type Lease, type Meter, type TurnClaim } from '../live/meter.ts';
import { dueAction, pauseShown } from './due.ts';
import { ownerBack, ownerGone, pausedAt, usedUntil, type OwnerAway } from './pause.ts';

const now = 1_000_000_000;
const minutes = (count: number): number => count * 60_000;
const limits = { ownerGraceMinutes: 2, idleTimeoutMinutes: 10 };
const lease: Lease = { requestId: 'r1', fence: 'f1', held: 20, inputPrice: 6, expiresAt: now + 55_000 };
const meter = (parts: Partial<Meter> = {}): Meter => ({
  open: true, generation: 1, limit: 1_000, consumed: 0, checkpointed: 0, expiresAt: now + minutes(240), dueAt: now + minutes(10), members: { p1: { role: 'player' } }, membersVersion: 2, ...parts,
});
const claim = (by?: string): TurnClaim => ({ requestId: 'r2', fence: 'f2', held: 20, least: 20, floor: 5, inputPrice: 6, leaseMs: 55_000, idleMs: minutes(10), ...(by === undefined ? {} : { by }) });
const awayFrom = (at: number, idleAt: number): OwnerAway => ({ pausesAt: at + minutes(2), endsAt: at + minutes(12), graceMs: minutes(2), idleAt });
const gone = (at = now, parts: Partial<Meter> = {}) => ownerGone(meter(parts), limits, at);
const kinds = (before: Meter, at: number) => [undefined, 'p1'].map((by) => acquire(before, claim(by), at).kind);

describe('pause: an owner who goes', () => {
  it('lets the sweep look when the grace is over, or when the session is idle before', () => {
    assert.deepEqual(gone(), { ...meter(), ownerAway: awayFrom(now, now + minutes(10)), dueAt: now + minutes(2) });
    assert.equal(gone(now, { dueAt: now + minutes(1) }).dueAt, now + minutes(1));
    assert.deepEqual(ownerGone(meter(), { idleTimeoutMinutes: 10 }, now), gone());
  });

  it('is away since the first time that it was noticed', () => {
    const first = gone();
    assert.equal(ownerGone(first, limits, now + minutes(1)), first);
  });

  it('changes nothing on a meter that is closed, or that has nothing due', () => {
    const closed = close(meter(), 'user', now);
    assert.equal(ownerGone(closed, limits, now), closed);
    const { dueAt: _dueAt, ...finished } = meter();
    assert.equal(ownerGone<Meter>(finished, limits, now), finished);
  });
});

describe('pause: an owner who comes back', () => {
  it('leaves the session due when it is idle, as before', () => assert.deepEqual(ownerBack(gone()), meter()));

  it('changes nothing when it was not away, or the meter is closed', () => {
    const [there, closed] = [meter(), close(gone(), 'user', now)];
    assert.equal(ownerBack(there), there);
    assert.equal(ownerBack(closed), closed);
  });
});

describe('pause: turns while the owner is away', () => {
  it('of members go on until the grace is over, then not', () => {
    assert.deepEqual(kinds(gone(), now + minutes(2) - 1), ['leased', 'leased']);
    assert.deepEqual(kinds(gone(), now + minutes(2)), ['leased', 'paused']);
    assert.deepEqual(pausedAt(gone(), now + minutes(2)), now + minutes(2));
    assert.deepEqual([pausedAt(gone(), now + minutes(2) - 1), pausedAt(meter(), now + minutes(99)), pausedAt(close(gone(), 'user', now), now + minutes(3))], [null, null, null]);
  });

  it('of members wait for no other turn once it is paused', () => {
    const busy = gone(now, { turn: { ...lease, expiresAt: now + minutes(5) } });
    assert.deepEqual(kinds(busy, now + minutes(1)), ['busy', 'busy']);
    assert.deepEqual(kinds(busy, now + minutes(3)), ['busy', 'paused']);
    assert.deepEqual(kinds(busy, now + minutes(6)), ['abandoned', 'paused']);
  });

  it('keep the lease that they have, also when its answer was lost', () => {
    const { meter: leased } = acquire(gone(), claim('p1'), now + minutes(1)) as { meter: Meter };
    assert.deepEqual(acquire(leased, claim('p1'), now + minutes(3)), { kind: 'leased', meter: leased });
  });

  it('of members put the idle end off, and neither the pause nor the end for want of the owner', () => {
    const at = now + minutes(1);
    const { meter: leased } = acquire(gone(), claim('p1'), at) as { meter: Meter };
    assert.deepEqual([leased.dueAt, leased.ownerAway], [now + minutes(2), awayFrom(now, at + 55_000 + minutes(10))]);
    const posted = post(leased, { fence: 'f2', cost: 5, idleMs: minutes(10), settleEvery: 1_000, streamed: false }, at + 5_000)!.meter;
    assert.deepEqual([posted.dueAt, posted.ownerAway], [now + minutes(2), awayFrom(now, at + 5_000 + minutes(10))]);
  });

  it('of the owner end the pause until a grace after them, for it may have asked before it went; one that is refused does not', () => {
    const at = now + minutes(5);
    const { meter: leased } = acquire(gone(), claim(), at) as { meter: Meter };
    assert.deepEqual([leased.dueAt, leased.ownerAway], [at + 55_000 + minutes(2), awayFrom(at + 55_000, at + 55_000 + minutes(10))]);
    assert.equal(pausedAt(leased, at), null);
    assert.equal('ownerAway' in (acquire(meter(), claim(), at) as { meter: Meter }).meter, false);
    assert.equal(acquire(leased, { ...claim('p1'), fence: 'f3' }, at).kind, 'busy');
    assert.equal(acquire(gone(now, { consumed: 999 }), claim(), at).kind, 'exhausted');
  });

  it('that are posted on a meter that was closed meanwhile do not put its end off', () => {
    const closed = close(gone(now, { turn: lease }), 'user', now);
    assert.equal(post(closed, { fence: 'f1', cost: 5, idleMs: minutes(10), settleEvery: 1_000, streamed: false }, now + 1_000)?.meter.dueAt, closed.dueAt);
  });
});

describe('pause: what the sweep does', () => {
  const actions = (of: Meter, ...at: number[]) => at.map((minute) => dueAction(of, now + minutes(minute)));

  it('is nothing before the grace is over, then showing the pause, then ending the session', () => {
    const away = gone(now, { dueAt: now + minutes(30) });
    assert.deepEqual(actions(away, 0, 1.99, 2, 11.99, 12), ['wait', 'wait', 'pause', 'pause', 'end']);
    const shown = pauseShown(away);
    assert.deepEqual([shown.dueAt, ...actions(shown, 2, 11.99, 12)], [now + minutes(12), 'wait', 'wait', 'end']);
  });

  it('is ending an idle session as ever, whether the owner is there or not', () => {
    assert.deepEqual(actions(meter(), 9.99, 10), ['wait', 'end']);
    assert.deepEqual(actions(gone(now - minutes(1)), 1, 9.99, 10), ['pause', 'pause', 'end']);
    assert.deepEqual(actions(gone(now - minutes(1), { dueAt: now }), 0), ['end']);
  });

  it('cuts no turn in flight', () => {
    const busy = gone(now, { turn: { ...lease, expiresAt: now + minutes(13) }, dueAt: now + minutes(30) });
    assert.deepEqual(actions(busy, 2, 11.99, 12, 12.99, 13), ['pause', 'pause', 'wait', 'wait', 'end']);
  });

  it('is finishing an end that was cut short', () => {
    const closed = close(gone(), 'user', now);
    assert.deepEqual(actions(closed, 0.99, 1), ['wait', 'end']);
  });

  it('is done with a session whose end is committed', () => {
    const { dueAt: _dueAt, ...finished } = close(gone(), 'user', now);
    assert.deepEqual(actions(finished, 99), ['wait']);
    assert.equal(pauseShown(meter()).dueAt, meter().dueAt);
  });
});

describe('pause: any sequence of comings, goings, turns and sweeps', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const), by: fc.constantFrom(undefined, 'p1'), lasts: fc.nat(50_000) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('go' as const, 'come' as const, 'sweep' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(minutes(6)) }) },
  );

  it('gives members no turn after the grace, and ends the session when it is idle or its owner stays away, not before', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let current = meter();
      // When the session would be idle if there were no presence.
      let plain = now + minutes(10);
      let clock = now;
      let goneAt: number | null = null;
      for (const each of steps) {
        const isPaused: boolean = goneAt !== null && clock >= goneAt + minutes(2);
        if (each.do === 'turn') {
          const acquired = acquire(current, claim(each.by), clock);
          assert.equal(acquired.kind, isPaused && each.by !== undefined ? 'paused' : 'leased');
          if (acquired.kind !== 'leased') continue;
          if (each.by === undefined && goneAt !== null) goneAt = clock + 55_000;
          clock += each.lasts;
          current = post(acquired.meter, { fence: 'f2', cost: 0, idleMs: minutes(10), settleEvery: 1_000, streamed: false }, clock)!.meter;
          plain = clock + minutes(10);
        } else if (each.do === 'go') {
          current = ownerGone(current, limits, clock);
          goneAt ??= clock;
        } else if (each.do === 'come') {
          current = ownerBack(current);
          goneAt = null;
        } else if (each.do === 'wait') {
          clock += each.ms;
        } else {
          const action = dueAction(current, clock);
          const over: boolean = plain <= clock || (goneAt !== null && goneAt + minutes(12) <= clock);
          assert.equal(action === 'end', over);
          if (action === 'end') return;
          assert.ok(action === 'wait' || isPaused);
          if (action === 'pause') current = pauseShown(current);
        }
        assert.ok(current.dueAt! <= plain && (goneAt === null || current.dueAt! <= goneAt + minutes(12)), 'the sweep finds it in time');
        assert.deepEqual(usedUntil(current, plain).ownerAway, current.ownerAway);
        if (goneAt === null) assert.equal(isDue(current, clock), plain <= clock);
      }
    }));
  });
});
