import assert from 'node:assert/strict';
import { createMemoryDatabase, type MemoryDatabase } from '../../test/memory/database.ts';
import { openGate } from '../../test/memory/io.ts';
import { guest, SharingWorld } from '../../test/sharing-world.ts';
import { takeLease, type LeaseDeps } from '../live/lease.ts';
import { watchLease } from '../live/waiting.ts';
import type { Meter } from '../live/meter.ts';
import type { PreparedTurn } from '../live/prepare.ts';
import { mirrorLive, openLive, removeLive } from '../live/store.ts';
import { showPause } from '../live/store-pause.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { commitJoin, commitLeave } from '../sharing/store.ts';
import { followPresence, onlineMembers, pauseSession } from './store.ts';

const minutes = (count: number): number => count * 60_000;

describe('presence: the store', () => {
  let world: SharingWorld;
  /** The same data, past the gate. */
  let others: MemoryDatabase;
  const { warn } = console;

  beforeEach(async () => {
    // The SDK warns of every transaction that it runs again; here that is the point.
    console.warn = () => undefined;
    world = new SharingWorld();
    others = createMemoryDatabase({ data: world.database.data });
    await world.seed();
    await mirrorLive(await commitJoin((await world.invite()).text, guest('u2')));
  });
  afterEach(async () => {
    console.warn = warn;
    await others.close();
    await world.close();
  });

  const now = (): number => world.now;
  const connect = (uid: string, connection = 'c1') => others.ref(`presence/s1/${uid}/${connection}`).set({ at: world.now });
  const disconnect = (uid: string, connection = 'c1') => others.ref(`presence/s1/${uid}/${connection}`).remove();
  const follow = (uid: string) => followPresence('s1', uid, now);
  const comes = (uid: string) => connect(uid).then(() => follow(uid));
  const goes = (uid: string) => disconnect(uid).then(() => follow(uid));
  const live = () => world.database.dump('live/s1') as { online?: object; pausedAt?: number; status: string } | null;
  const meter = () => world.database.dump('meters/s1') as Meter;
  /** The owner has been there, and is away for longer than the grace. */
  const paused = async (): Promise<void> => {
    await comes('u1');
    await goes('u1');
    world.now += minutes(2);
  };
  /** Lets somebody be faster: acts right before the code's next write below this path arrives. */
  const overtake = (path: string, act: () => Promise<unknown>): void => {
    world.databaseGate = async ({ writes, paths }, apply) => {
      if (writes && paths.some((each) => each.startsWith(path))) {
        world.databaseGate = openGate;
        await act();
      }
      return apply();
    };
  };

  describe('a member', () => {
    it('keeps the twenty connections that were heard of last', async () => {
      for (let index = 0; index < 25; index++) {
        world.now += 1_000;
        await connect('u2', `c${index}`);
      }
      await connect('u1', 'laptop');
      await follow('u2');
      const kept = world.database.dump('presence/s1') as Record<string, object>;
      assert.deepEqual(Object.keys(kept['u2']!).sort(), Array.from({ length: 20 }, (_, index) => `c${index + 5}`).sort());
      assert.deepEqual([Object.keys(kept['u1']!), live()?.online], [['laptop'], { u2: true }]);
    });

    it('is shown from its first connection to its last', async () => {
      await comes('u2');
      await connect('u2', 'c2');
      await goes('u2');
      assert.deepEqual(live()?.online, { u2: true });
      await disconnect('u2', 'c2');
      await follow('u2');
      assert.equal(live()?.online, undefined);
    });

    it('is shown as it is now, however late and often events come', async () => {
      await connect('u2');
      await disconnect('u2');
      for (let times = 0; times < 2; times++) await follow('u2');
      assert.equal(live()?.online, undefined);
      await connect('u2');
      await Promise.all([follow('u2'), follow('u2'), follow('u1')]);
      assert.deepEqual(live()?.online, { u2: true });
    });

    it('is shown as it is in the end when it comes or goes meanwhile', async () => {
      await connect('u2');
      overtake('live/s1', () => disconnect('u2'));
      await follow('u2');
      assert.equal(live()?.online, undefined);
      overtake('live/s1', () => connect('u2'));
      await follow('u2');
      assert.deepEqual(live()?.online, { u2: true });
    });

    it('is shown no more once it has left, nor is anybody else who is no member', async () => {
      for (const uid of ['u1', 'u2', 'u3']) await comes(uid);
      assert.deepEqual(live()?.online, { u1: true, u2: true });
      await mirrorLive(await commitLeave('s1', 'u2'));
      assert.deepEqual(live()?.online, { u1: true });
      await follow('u2');
      assert.deepEqual(live()?.online, { u1: true });
    });

    it('is shown no more once the session has ended', async () => {
      await comes('u1');
      await mirrorLive((await commitEnd('s1', 'user', { total: null, lines: [] }, world.now))!);
      await follow('u1');
      assert.deepEqual([live()?.status, live()?.online], ['ended', undefined]);
    });

    it('brings no live state back that was removed', async () => {
      await comes('u1');
      await removeLive('s1');
      for (const uid of ['u1', 'u2']) await goes(uid);
      assert.deepEqual([live(), meter()], [null, null]);
      await followPresence('unknown', 'u1', now);
      assert.equal(world.database.dump('live/unknown'), null);
    });
  });

  describe('the owner', () => {
    it('is away on the meter from its last connection on, and no more once it is back', async () => {
      const before = meter();
      await comes('u1');
      assert.deepEqual(meter(), before);
      await goes('u1');
      assert.deepEqual(meter(), { ...before, ownerAway: { pausesAt: world.now + minutes(2), endsAt: world.now + minutes(12), graceMs: minutes(2), idleAt: before.dueAt }, dueAt: world.now + minutes(2) });
      await comes('u1');
      assert.deepEqual(meter(), before);
    });

    it('alone matters: other members come and go', async () => {
      const before = meter();
      await comes('u2');
      await goes('u2');
      assert.deepEqual(meter(), before);
    });

    it('is there again when it connects in the moment in which its going is noted', async () => {
      await comes('u1');
      await disconnect('u1');
      overtake('meters/s1', () => connect('u1'));
      await follow('u1');
      assert.deepEqual([live()?.online, meter().ownerAway], [{ u1: true }, undefined]);
    });
  });

  describe('a pause', () => {
    it('is shown by the sweep, once, and is due again when the session ends', async () => {
      await paused();
      await others.ref('meters/s1/ownerAway/idleAt').set(world.now + minutes(60));
      assert.equal(await pauseSession('s1', now), world.now);
      assert.deepEqual([live()?.pausedAt, meter().dueAt], [world.now, world.now + minutes(10)]);
      const shown = world.database.dump();
      world.now += minutes(1);
      assert.equal(await pauseSession('s1', now), world.now - minutes(1));
      assert.deepEqual(world.database.dump(), shown);
    });

    it('is none when the owner is there, though the event of its return was lost', async () => {
      await paused();
      await connect('u1');
      assert.equal(await pauseSession('s1', now), null);
      assert.deepEqual([live()?.pausedAt, live()?.online, meter().ownerAway], [undefined, { u1: true }, undefined]);
    });

    it('is over with the owner\'s return', async () => {
      await paused();
      await pauseSession('s1', now);
      await comes('u1');
      assert.deepEqual([live()?.pausedAt, meter().ownerAway], [undefined, undefined]);
    });

    it('is over when the owner resumes the session, which counts as used just now', async () => {
      await paused();
      await pauseSession('s1', now);
      await openLive(world.session());
      assert.notEqual(meter().ownerAway, undefined);
      await openLive(world.session(), { resume: true });
      assert.deepEqual([live()?.pausedAt, meter().ownerAway, meter().dueAt], [undefined, undefined, world.now + minutes(10)]);
    });

    it('is not shown when the owner returns in the moment before', async () => {
      await paused();
      overtake('live/s1', () => others.ref('meters/s1/ownerAway').remove());
      assert.equal(await showPause('s1', now), null);
      assert.equal(live()?.pausedAt, undefined);
    });

    it('is not shown of a session that has ended', async () => {
      await paused();
      await pauseSession('s1', now);
      const ended = (await commitEnd('s1', 'idle', { total: null, lines: [] }, world.now))!;
      await others.ref('live/s1').update({ status: 'ended' });
      assert.notEqual(await showPause('s1', now), null);
      assert.equal(live()?.pausedAt, undefined);
      await others.ref('live/s1/pausedAt').set(world.now);
      await mirrorLive(ended);
      assert.equal(live()?.pausedAt, undefined);
    });
  });

  describe('a turn of a paused session', () => {
    const deps: Omit<LeaseDeps, 'watch'> = { now, endSession: () => assert.fail('nothing ends'), extendHold: () => assert.fail('nothing is held'), callerGone: new AbortController().signal };
    const prepared = { held: 5, inputPrice: 1, bare: { least: 2 } } as PreparedTurn;
    const take = async (by?: string) => {
      const watch = watchLease('s1', `of-${by}`, now);
      const lease = { fence: `of-${by}`, requestKey: 'r1', leaseMs: 55_000, idleMs: minutes(10), settleEvery: 1_000, ...(by === undefined ? {} : { by }) };
      return takeLease({ sessionId: 's1', requestId: 'r1', queue: false }, prepared, lease, { ...deps, watch }).finally(watch.stop);
    };

    beforeEach(async () => {
      await paused();
      await pauseSession('s1', now);
    });

    it('is refused to members, whom nothing is charged', async () => {
      const before = world.database.dump();
      await assert.rejects(take('u2'), { code: 'failed-precondition', message: 'The owner of this session is away. It goes on when the owner is back.', details: { reason: 'session_paused' } });
      assert.deepEqual(world.database.dump(), before);
    });

    it('is taken by the owner, and ends the pause before everybody\'s eyes', async () => {
      assert.equal((await take()).meter.turn?.held, 5);
      assert.deepEqual([live()?.pausedAt, meter().ownerAway?.pausesAt], [undefined, world.now + 55_000 + minutes(2)]);
    });

    it('is taken by the owner although the end of the pause cannot be shown', async () => {
      world.databaseGate = (io, apply) => (io.writes && io.paths.includes('live/s1') ? Promise.reject(new Error('no such connection')) : openGate(io, apply));
      assert.equal((await take()).meter.turn?.held, 5);
      assert.ok(world.logged.some((entry) => 'message' in entry && entry.message === 'live state not written'));
    });
  });

  describe('the list of members', () => {
    it('tells who is connected, by one read, and not who was silent for three minutes', async () => {
      await connect('u1');
      await connect('u3');
      world.now += minutes(2);
      await connect('u2');
      const reads: string[] = [];
      world.databaseGate = (io, apply) => {
        reads.push(`${io.kind} ${io.paths.join()}`);
        return openGate(io, apply);
      };
      assert.deepEqual(await onlineMembers(world.session(), world.now), ['u1', 'u2']);
      assert.deepEqual(reads, ['get presence/s1']);
      assert.deepEqual(await onlineMembers(world.session(), world.now + minutes(1)), ['u2']);
    });

    it('of a session that has ended tells of nobody, without a read', async () => {
      await connect('u1');
      world.databaseGate = () => assert.fail('nothing is read');
      assert.deepEqual(await onlineMembers({ ...world.session(), status: 'ended' }, world.now), []);
    });
  });
});
