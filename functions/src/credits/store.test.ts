import assert from 'node:assert/strict';
import type { Database } from 'firebase-admin/database';
import type { PubSub } from '@google-cloud/pubsub';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, assertBooks, at, hold, lot, moment } from '../../test/money.ts';
import { keepEntries, type Written } from '../../test/printed.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { adjust, grant, hold as place, lapse, resolve, type NewGrant } from './store-admin.ts';
import { settleCheckpoint } from './store-settle.ts';

const because = { reason: 'a test', actor: 'root' };
const target = { userId: 'u1', agentInstanceId: 'a1' };
const owned = 'users/u1/agents/a1';
const contention = { name: 'AppError', details: { reason: 'contention', retryAfterMs: 800 } };
const bought = (amount: number): NewGrant => ({ grantId: 'grant-k', amount, source: 'purchase', priority: 50, expiresAt: null, rollover: null });
const granted = (amount: number, of = target) => grant({ operationId: 'grant-k', fingerprint: `${of.agentInstanceId} ${amount}`, actor: 'root' }, of, bought(amount), because);
const session = (parts: Partial<SessionDoc> = {}): Partial<SessionDoc> => ({
  sessionId: 's1', ownerId: 'u1', agentInstanceId: 'a1', status: 'active', settlement: 'open', consumedDOFs: 0, settledDOFs: 0, heldDOFs: 30, version: 1, config: { provider: 'gemini' } as SessionDoc['config'], ...parts,
});

describe('credits: the store', () => {
  let firestore: ReturnType<typeof createMemoryFirestore>;
  /** Somebody who is faster: acts once, right before the next commit arrives. */
  let overtake: (() => Promise<unknown>) | null;
  let logged: Written[];

  beforeEach(() => {
    overtake = null;
    const gated = createMemoryFirestore({ gate: async ({ kind }, apply) => {
      const act = kind === 'commit' ? overtake : null;
      if (act) overtake = null;
      await act?.();
      return apply();
    } });
    firestore = createMemoryFirestore({ data: gated.data });
    useDatabases({ firestore: gated, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    logged = keepEntries();
    useSystem({ now: () => moment, newId: () => 'id', random: () => 0, after: (_ms, act) => { setImmediate(act); return () => undefined; } });
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  const write = (path: string, data: object) => firestore.doc(path).set(data);
  const read = <T>(path: string): T | undefined => firestore.snapshotAt(path).data() as T | undefined;
  const balanceOf = (agentInstanceId = 'a1') => read<AgentDoc>(`users/u1/agents/${agentInstanceId}`)!;

  describe('under a key', () => {
    it('does a thing once, and answers a repeat with the first result', async () => {
      await write(owned, agent());
      const first = await granted(40);
      assert.deepEqual([first.replayed, first.balanceAfter], [false, 40]);
      assert.deepEqual(await granted(40), { ...first, replayed: true });
      assert.equal(balanceOf().currentDOFs, 40);
    });

    it('refuses another body', async () => {
      await write(owned, agent());
      await granted(40);
      await assert.rejects(granted(41), { name: 'AppError', details: { reason: 'request_conflict' } });
      assert.equal(balanceOf().currentDOFs, 40);
    });

    it('grants one payment to one of two agents, when both are asked for at once', async () => {
      await Promise.all([write(owned, agent()), write('users/u1/agents/a2', agent({ agentInstanceId: 'a2' }))]);
      overtake = () => granted(40, { ...target, agentInstanceId: 'a2' });
      await assert.rejects(granted(40), { name: 'AppError', details: { reason: 'request_conflict' } });
      assert.deepEqual([balanceOf().currentDOFs, balanceOf('a2').currentDOFs], [0, 40]);
    });
  });

  describe('what was written', () => {
    /** What the start of a session writes to an agent: a hold, and no event of the agent. */
    const sessionStarts = () => firestore.doc(owned).update({ heldDOFs: 30, holds: { s1: hold({ a: 30 }, { sessionId: 's1' }) } });
    const writes: Record<string, () => Promise<unknown>> = {
      'ledger/grant-k': () => granted(40),
      'grants/grant-k': () => granted(40),
      'ledger/adjust-k': () => adjust({ operationId: 'adjust-k', fingerprint: 'f', actor: 'root' }, target, { adjustmentId: 'adjust-k', amount: -5, correctsEntryId: null, ...because }),
      'ledger/post-h': () => resolve(target, 'h', 5, because),
      'holds/h': () => resolve(target, 'h', 0, because),
    };
    for (const [path, act] of Object.entries(writes)) {
      it(`is never written over: ${path}`, async () => {
        const before = agent({ lots: { a: lot(50) }, holds: { h: hold({ a: 20 }) } });
        await Promise.all([write(owned, before), write(`${owned}/${path}`, { kept: true })]);
        await assert.rejects(act(), contention);
        assert.deepEqual([read(`${owned}/${path}`), balanceOf()], [{ kept: true }, before]);
      });
    }

    it('by somebody faster is what a change is decided on', async () => {
      await write(owned, agent({ lots: { a: lot(50) } }));
      overtake = sessionStarts;
      await granted(40);
      assertBooks(balanceOf());
      assert.deepEqual([balanceOf().currentDOFs, balanceOf().heldDOFs], [90, 30]);
    });

    it('by somebody faster may leave nothing to hold', async () => {
      await write(owned, agent({ lots: { a: lot(50) } }));
      overtake = sessionStarts;
      await assert.rejects(place({ operationId: 'hold-k', fingerprint: 'f', actor: 'root' }, target, 'hold-k', 21, 1_000), { name: 'AppError', code: 'resource-exhausted' });
    });
  });

  describe('a hold of a service', () => {
    beforeEach(() => write(owned, agent({ lots: { a: lot(50) }, holds: { h: hold({ a: 20 }) } })));

    it('posts no more than it holds', async () => {
      await assert.rejects(resolve(target, 'h', 21, because), { name: 'AppError', code: 'invalid-argument' });
      assert.equal(balanceOf().currentDOFs, 50);
    });

    it('is resolved once: a repeat gets the first result, anything else is refused', async () => {
      const first = await resolve(target, 'h', 15, because);
      assert.deepEqual([first.postedDOFs, first.releasedDOFs], [15, 5]);
      assert.equal((await resolve(target, 'h', 15, because)).postedDOFs, 15);
      for (const amount of [0, 14]) await assert.rejects(resolve(target, 'h', amount, because), { name: 'AppError', code: 'failed-precondition' });
      assert.equal(balanceOf().currentDOFs, 35);
    });
  });

  it('lapses what is over and nothing else, and leaves the holds of sessions to their end', async () => {
    const over = { expiresAt: at(moment) };
    const holds = { over: hold({ a: 5 }, over), open: hold({ a: 6 }, { expiresAt: at(moment + 1) }), s1: hold({ a: 7 }, { ...over, sessionId: 's1' }) };
    await write(owned, agent({ lots: { a: lot(50) }, holds }));
    await lapse(target);
    assert.deepEqual([Object.keys(balanceOf().holds).sort(), balanceOf().currentDOFs], [['open', 's1'], 50]);
    assert.equal(read<{ state: string }>(`${owned}/holds/over`)?.state, 'expired');
  });

  describe('a settlement', () => {
    const held = { lots: { a: lot(50) }, holds: { s1: hold({ a: 30 }, { sessionId: 's1' }) } };
    const of = { sessionId: 's1', ownerId: 'u1', agentInstanceId: 'a1' };
    const settled = () => read<SessionDoc>('sessions/s1')!;

    it('keeps the end that overtook it', async () => {
      await Promise.all([write(owned, agent(held)), write('sessions/s1', session())]);
      overtake = () => firestore.doc('sessions/s1').update({ status: 'ended', settlement: 'pending', consumedDOFs: 12, version: 2 });
      await settleCheckpoint({ ...of, total: 10, final: false });
      assert.deepEqual([settled().settlement, settled().settledDOFs, settled().consumedDOFs, settled().version], ['pending', 10, 12, 3]);
    });

    it('is logged once, when it is committed, however often it was tried; with how long it has waited', async () => {
      await Promise.all([write(owned, agent(held)), write('sessions/s1', session())]);
      overtake = () => firestore.doc('sessions/s1').update({ version: 2 });
      await settleCheckpoint({ ...of, total: 10, final: false, createdAt: at(moment - 700) });
      await settleCheckpoint({ ...of, total: 10, final: false, createdAt: at(moment - 900) });
      assert.deepEqual(logged, [{ type: 'settlement', amountDOFs: 10, lagMs: 700, sessionId: 's1', agentInstanceId: 'a1', provider: 'gemini', severity: 'INFO', message: 'transaction' }]);
    });

    it('that is never committed is not logged', async () => {
      await Promise.all([write(owned, agent(held)), write('sessions/s1', session())]);
      overtake = () => Promise.reject(new Error('no connection'));
      await assert.rejects(settleCheckpoint({ ...of, total: 10, final: false }), /no connection/);
      assert.deepEqual(logged, []);
    });

    it('of a session whose agent is gone is done, and only once it has ended', async () => {
      await write('sessions/s1', session());
      await settleCheckpoint({ ...of, total: 10, final: true });
      assert.equal(settled().settlement, 'open');
      await write('sessions/s1', session({ status: 'ended', settlement: 'pending' }));
      await settleCheckpoint({ ...of, total: 10, final: true });
      assert.deepEqual([settled().settlement, settled().heldDOFs], ['done', 0]);
    });
  });
});
