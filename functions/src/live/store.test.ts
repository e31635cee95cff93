import assert from 'node:assert/strict';
import { setImmediate as settled } from 'node:timers/promises';
import type { PubSub } from '@google-cloud/pubsub';
import type { Firestore } from 'firebase-admin/firestore';
import { createMemoryDatabase, type MemoryDatabase } from '../../test/memory/database.ts';
import { at, moment as now } from '../../test/money.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionDoc } from '../sessions/schema.ts';
import { closeMeter } from './drain.ts';
import type { Meter } from './meter.ts';
import type { RequestRecord } from './requests.ts';
import { mirrorLive, openLive, raiseLimit, updateMeter } from './store.ts';
import { claimRequest, closeRequest, keepRequest, readRequest } from './store-requests.ts';
import { tellTurn } from './store-streams.ts';

const session = {
  sessionId: 's1', ownerId: 'u1', agentInstanceId: 'a1', members: { u1: 'owner' }, memberCaps: {}, status: 'active', closeReason: null, generation: 1, version: 1, settledDOFs: 0, heldDOFs: 30, startingDOFs: 100, consumedDOFs: 0, settleEveryDOFs: 1_000,
  startedAt: at(now), expiresAt: at(now + 3_600_000), config: { limits: serverConfigSchema.shape.limits.parse({}) },
} as unknown as SessionDoc;
const running = (turnId: string, parts: Partial<RequestRecord> = {}): RequestRecord => ({ hash: 'h', state: 'running', expiresAt: now + 1_000, turnId, input: '{}', model: 'm', ...parts });
const done = (turnId: string, cost: number): RequestRecord => running(turnId, { state: 'done', expiresAt: now, cost });

describe('live: the store', () => {
  let database: MemoryDatabase;
  /** Whether the answer to the next change is lost with the connection. */
  let losing: boolean;
  const { warn } = console;

  beforeEach(() => {
    losing = false;
    // The SDK warns of every answer that is lost; here that is the point.
    console.warn = () => undefined;
    database = createMemoryDatabase({ gate: (_io, apply) => {
      const before = JSON.stringify(database.dump());
      const value = apply();
      if (!losing || JSON.stringify(database.dump()) === before) return Promise.resolve(value);
      losing = false;
      return Promise.reject(new Error('disconnected'));
    } });
    useDatabases({ live: database, firestore: undefined as unknown as Firestore, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => now, newId: () => 'id', random: () => 0, after: () => () => undefined });
  });
  afterEach(async () => {
    console.warn = warn;
    useDatabases(null);
    useSystem(null);
    await database.close();
  });

  const meter = () => database.dump('meters/s1') as Meter;
  const spend = (consumed: number) => updateMeter('s1', (current) => ({ ...current!, consumed }));
  const closed = (reason: 'user' | 'idle') => closeMeter('s1', reason, () => now);

  describe('opening a session', () => {
    it('again completes what is missing and leaves the meter as it is', async () => {
      await openLive(session);
      await spend(12);
      for (const resume of [false, true]) assert.equal((await openLive(session, { resume })).consumed, 12);
    });

    it('is due when it is idle, and over, as the config of the session says', async () => {
      const config = { ...session.config, limits: { ...session.config.limits, idleTimeoutMinutes: 3 } };
      const { dueAt, expiresAt } = await openLive({ ...session, config });
      assert.deepEqual([dueAt, expiresAt], [now + 3 * 60_000, now + 3_600_000]);
    });

    it('tells an open meter of the client that has taken over, and of no client before', async () => {
      await openLive(session);
      assert.equal((await openLive({ ...session, generation: 3 }, { resume: true })).generation, 3);
      assert.equal((await openLive({ ...session, generation: 2 }, { resume: true })).generation, 3);
    });

    it('never opens a meter that was closed, not even one that was closed before it was there', async () => {
      await closed('user');
      for (const resume of [false, true]) {
        const { open, closeReason } = await openLive(session, { resume });
        assert.deepEqual([open, closeReason], [false, 'user']);
      }
    });
  });

  it('shows a change of the session beside a write of the same process that is on its way', async () => {
    await openLive(session);
    const speaking = tellTurn('s1', 't1', {}, { 'turn/state': 'speaking' });
    await mirrorLive({ ...session, members: { u1: 'owner', u2: 'player' }, version: 2 });
    await speaking;
    const { members, version, dofs, turn } = database.dump('live/s1') as Record<string, unknown>;
    assert.deepEqual([members, version, dofs, turn], [{ u1: 'owner', u2: 'player' }, 2, { starting: 100, consumed: 0, remaining: 100 }, { state: 'speaking' }]);
  });

  it('closes a meter for the first reason', async () => {
    await openLive(session);
    await spend(12);
    for (const reason of ['user', 'idle'] as const) {
      const { total, reason: kept } = await closed(reason) as { total: number; reason: string };
      assert.deepEqual([total, kept], [12, 'user']);
    }
  });

  it('raises the limit of a meter, and never lowers it', async () => {
    await openLive(session);
    for (const limit of [60, 50]) await raiseLimit('s1', limit);
    assert.equal(meter().limit, 60);
  });

  describe('a request', () => {
    const claim = (turnId: string) => claimRequest('s1', 'r1', running(turnId), now);
    const close = (turnId: string, record: RequestRecord | null) => closeRequest('s1', 'r1', turnId, () => record);

    it('is claimed by one attempt', async () => {
      assert.equal((await claim('t1')).kind, 'new');
      assert.equal((await claim('t2')).kind, 'running');
      assert.equal((await readRequest('s1', 'r1'))?.turnId, 't1');
    });

    it('is closed by the attempt that runs, once', async () => {
      await claim('t1');
      assert.equal((await close('t2', done('t2', 9))).won, false);
      assert.equal((await close('t1', done('t1', 7))).won, true);
      const { won, record } = await close('t1', done('t1', 8));
      assert.deepEqual([won, record?.cost], [false, 7]);
    });

    it('is not closed by an attempt that somebody else has resolved at the same price', async () => {
      await claim('t1');
      const news: (() => void)[] = [];
      let late = false;
      const holder = createMemoryDatabase({ data: database.data, deliver: (callback) => { if (late) news.push(callback); else queueMicrotask(callback); } });
      const use = (live: MemoryDatabase): void => useDatabases({ live, firestore: undefined as unknown as Firestore, pubsub: undefined as unknown as PubSub });
      try {
        use(holder);
        const release = keepRequest('s1', 'r1');
        await settled();
        late = true;
        use(database);
        assert.equal((await close('t1', { ...done('t1', 7), outcome: 'cut', reply: '' })).won, true);
        use(holder);
        const answer = close('t1', { ...done('t1', 7), outcome: 'complete', reply: 'Left, now.' });
        await settled();
        late = false;
        for (const each of news) each();
        const { won, record } = await answer;
        assert.deepEqual([won, record?.reply], [false, '']);
        release();
      } finally {
        await holder.close();
      }
    });

    it('is closed by the attempt that never heard so, at a price or forgotten', async () => {
      for (const record of [done('t1', 7), null]) {
        await database.ref('requests').remove();
        await claim('t1');
        losing = true;
        assert.equal((await close('t1', record)).won, true);
        assert.equal(losing, false);
      }
    });
  });
});
