import assert from 'node:assert/strict';
import { createMemoryDatabase } from '../../test/memory/database.ts';
import { openGate, type Gate } from '../../test/memory/io.ts';
import { outcomeOf, TurnsWorld } from '../../test/turns-world.ts';
import { takeLease, type LeaseDeps } from './lease.ts';
import type { PreparedTurn } from './prepare.ts';
import { updateMeter } from './store.ts';
import { closeRequest } from './store-requests.ts';
import { watchLease } from './waiting.ts';

describe('live: the lease', () => {
  let world: TurnsWorld;

  beforeEach(() => { world = new TurnsWorld(); });
  afterEach(() => world.close());

  describe('of a turn that the hold does not cover', () => {
    /** Takes a lease for a turn that can cost 50 and needs 10, of a session that holds 30 and may have up to `available` more. */
    const take = async ({ by, available = 1_000 }: { by?: string; available?: number } = {}) => {
      await updateMeter('s1', (meter) => ({ ...meter!, limit: 30 }));
      const asked: number[][] = [];
      const watch = watchLease('s1', 'f1', () => world.now);
      const extendHold: LeaseDeps['extendHold'] = (limit, missing) => {
        asked.push([limit, missing]);
        return Promise.resolve(limit + missing <= 30 + available ? limit + missing : null);
      };
      const deps = { now: () => world.now, endSession: () => Promise.resolve(), extendHold, watch, callerGone: new AbortController().signal };
      const lease = { fence: 'f1', requestKey: 'r1', ...(by === undefined ? {} : { by }), leaseMs: 55_000, idleMs: 60_000, settleEvery: 1_000 };
      const { meter } = await takeLease({ sessionId: 's1', requestId: 'r1' }, { held: 50, bare: { least: 10 }, inputPrice: 5 } as PreparedTurn, lease, deps).finally(watch.stop);
      return { asked, held: meter.turn?.held, limit: meter.limit };
    };

    it('adds what the turn can cost at most', async () => {
      await world.open();
      assert.deepEqual(await take(), { asked: [[30, 20]], held: 50, limit: 50 });
    });

    it('adds no more than the cap of the member who asks lets it consume', async () => {
      await world.open({ memberCaps: { p1: 35 } });
      assert.deepEqual(await take({ by: 'p1' }), { asked: [[30, 5]], held: 35, limit: 35 });
    });

    it('adds nothing for a member whose cap the hold covers', async () => {
      await world.open({ memberCaps: { p2: 25 } });
      assert.deepEqual(await take({ by: 'p2' }), { asked: [], held: 25, limit: 30 });
    });

    it('begins with what is left when nothing can be added', async () => {
      await world.open({ memberCaps: { p1: 35 } });
      assert.deepEqual(await take({ by: 'p1', available: 0 }), { asked: [[30, 5]], held: 30, limit: 30 });
    });
  });

  describe('whose answer is lost', () => {
    /** Loses the answer to the next transaction that takes a lease, after which `meanwhile` happens elsewhere. */
    const loseLease = (meanwhile: () => Promise<unknown>): void => {
      world.gate = async <T>(...[io, apply]: Parameters<Gate>): Promise<T> => {
        const value = await openGate(io, apply) as T;
        if (!world.meter.turn) return value;
        world.gate = openGate;
        await meanwhile();
        throw new Error('disconnected');
      };
    };
    const elsewhere = async (path: string, value: unknown): Promise<void> => {
      const other = createMemoryDatabase({ data: world.database.data });
      await other.ref(path).set(value);
      await other.close();
    };

    beforeEach(() => world.open());

    it('is there all the same', async () => {
      loseLease(() => Promise.resolve());
      const turn = world.turn('r1');
      await world.pass(1_000);
      assert.deepEqual([await outcomeOf(turn), world.meter.turn, world.meter.consumed], [[1, 0], undefined, 1]);
    });

    it('is given back when the member was removed in that moment', async () => {
      const { members: _members, ...before } = world.meter;
      loseLease(() => elsewhere('meters/s1/members/p1', null));
      assert.equal(await outcomeOf(world.turn('r1', { by: 'p1' })), 'not-found not_found');
      assert.deepEqual([world.meter, world.records], [{ ...before, members: { p2: { role: 'player' }, s1: { role: 'spectator' } }, spent: { p1: 0 }, dueAt: world.now + 600_000 }, {}]);
      const next = world.turn('r1');
      await world.pass(1_000);
      assert.deepEqual(await outcomeOf(next), [1, 0]);
    });

    it('is given back when the session was closed in that moment', async () => {
      loseLease(() => elsewhere('meters/s1/open', false));
      assert.equal(await outcomeOf(world.turn('r1')), 'failed-precondition session_closed');
      assert.deepEqual([world.meter.turn, world.records], [undefined, {}]);
    });

    it('is left to who has resolved it, at a price, in that moment', async () => {
      loseLease(async () => {
        const { requestId, fence } = world.meter.turn!;
        await closeRequest('s1', requestId, fence, (running) => ({ ...running, state: 'done', cost: 1, consumed: 1 }));
        await elsewhere('meters/s1/members/p1', null);
      });
      assert.equal(await outcomeOf(world.turn('r1', { by: 'p1' })), 'not-found not_found');
      assert.deepEqual([world.meter.turn?.by, world.records['r1:p1']?.cost], ['p1', 1]);
    });
  });
});
