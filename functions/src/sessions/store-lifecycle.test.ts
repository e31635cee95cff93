import assert from 'node:assert/strict';
import type { Database } from 'firebase-admin/database';
import type { PubSub } from '@google-cloud/pubsub';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, at, lot, moment as now, rates } from '../../test/money.ts';
import { keepEntries, type Written } from '../../test/printed.ts';
import type { AgentDoc, ProductDoc, UserDoc } from '../agents/schema.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionDoc } from './schema.ts';
import { commitEnd, commitStart, extendSessionHold, type StartResult } from './store-lifecycle.ts';

const model = { vision: 'm', chat: 'm' };
const server = serverConfigSchema.parse({ limits: { holdDOFs: 30, maxDOFsPerSession: 80 }, endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } });
const product: ProductDoc = {
  name: 'Scout', description: '', provider: 'gemini', voiceId: 'v', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, specialization: null, version: 1,
  dofRates: rates({ instruction: 1 }), active: true,
};
const contention = { name: 'AppError', details: { reason: 'contention', retryAfterMs: 800 } };

describe('sessions: the store', () => {
  let firestore: ReturnType<typeof createMemoryFirestore>;
  /** Somebody who is faster: acts once, right before the next commit arrives. */
  let overtake: (() => Promise<unknown>) | null;
  let logged: Written[];

  beforeEach(async () => {
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
    useSystem({ now: () => now, newId: () => 'id', random: () => 0, after: (_ms, act) => { setImmediate(act); return () => undefined; } });
    const user: UserDoc = { email: null, displayName: null, createdAt: at(0), activeSessions: {} };
    await Promise.all([write('config/server', server), write('products/p1', product), write('users/u1', user), write('users/u1/agents/a1', agent({ lots: { g: lot(100) } })), write('users/u1/agents/a2', agent({ agentInstanceId: 'a2', lots: { g: lot(100) } }))]);
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  const write = (path: string, data: object) => firestore.doc(path).set(data);
  const read = <T>(path: string): T => firestore.snapshotAt(path).data() as T;
  const stored = (sessionId = 's1') => read<SessionDoc>(`sessions/${sessionId}`);
  const held = (agentInstanceId = 'a1') => read<AgentDoc>(`users/u1/agents/${agentInstanceId}`).heldDOFs;
  const start = (parts: Partial<Parameters<typeof commitStart>[0]> = {}): Promise<StartResult> => commitStart({ uid: 'u1', agentInstanceId: 'a1', takeOver: false, gameContext: null, sessionId: 's1', now, ...parts });
  const end = (total: number | null = 12, reason: SessionDoc['closeReason'] = 'user') => commitEnd('s1', reason!, { total, lines: [] }, now);
  const extend = (limit = 30) => extendSessionHold('s1', limit, 10, now);

  describe('a start', () => {
    it('that another one overtook is decided anew', async () => {
      overtake = () => start({ agentInstanceId: 'a2', sessionId: 's2' });
      await assert.rejects(start(), { name: 'AppError', details: { reason: 'session_limit', sessionId: 's2', agentInstanceId: 'a2' } });
      assert.deepEqual([held('a1'), held('a2'), stored()], [0, 30, undefined]);
    });

    it('never writes over a session', async () => {
      await write('sessions/s1', { kept: true });
      await assert.rejects(start(), contention);
      assert.deepEqual([stored(), held()], [{ kept: true }, 0]);
    });

    it('lasts as long as its product says, or four hours, and its hold as long', async () => {
      const times = async (sessionId: string, agentInstanceId: string) => {
        await start({ sessionId, agentInstanceId, takeOver: true });
        const hold = read<AgentDoc>(`users/u1/agents/${agentInstanceId}`).holds[sessionId]!;
        return [stored(sessionId).expiresAt.toMillis() - now, hold.expiresAt.toMillis() - now, stored(sessionId).config.limits.idleTimeoutMinutes];
      };
      assert.deepEqual(await times('s1', 'a1'), [240 * 60_000, 240 * 60_000, 10]);
      await end();
      await write('products/p2', { ...product, sessionTimeoutMinutes: 30, idleTimeoutMinutes: 3 });
      await write('users/u1/agents/a2', agent({ agentInstanceId: 'a2', agentProductId: 'p2', lots: { g: lot(100) } }));
      assert.deepEqual(await times('s2', 'a2'), [30 * 60_000, 30 * 60_000, 3]);
    });

    it('that takes over raises the generation of the session as it is by then', async () => {
      await start();
      overtake = () => extend();
      const taken = await start({ takeOver: true });
      assert.deepEqual([taken.kind, stored().generation, stored().heldDOFs, stored().version], ['resumed', 2, 60, 3]);
    });

    it('that takes over a session that has just ended begins a new one', async () => {
      await start();
      overtake = () => end();
      assert.equal((await start({ takeOver: true, sessionId: 's2' })).kind, 'started');
      assert.deepEqual([stored().generation, stored('s2').status], [1, 'active']);
    });
  });

  describe('a hold that runs out', () => {
    beforeEach(() => start());

    it('gets another step, and no more when the meter has not heard of it', async () => {
      assert.deepEqual([await extend(), await extend(), held()], [60, 60, 60]);
    });

    it('gets no step once the session has ended, not even in the moment before', async () => {
      overtake = () => end();
      assert.deepEqual([await extend(), held(), stored().heldDOFs], [null, 30, 30]);
      assert.deepEqual([await extend(), held()], [null, 30]);
    });
  });

  describe('an end', () => {
    beforeEach(() => start());

    it('is logged once, however often it is asked for', async () => {
      await start();
      for (const _ of [1, 2]) await end();
      assert.deepEqual(logged.filter(({ message }) => message === 'session ended'), [{ sessionId: 's1', agentInstanceId: 'a1', closeReason: 'user', durationMs: 0, consumedDOFs: 12, severity: 'INFO', message: 'session ended' }]);
    });

    it('happens once, with the first reason and total', async () => {
      const first = await end();
      assert.deepEqual([first?.closeReason, first?.consumedDOFs, read<UserDoc>('users/u1').activeSessions], ['user', 12, {}]);
      assert.deepEqual(await end(20, 'idle'), stored());
      assert.deepEqual([stored().closeReason, stored().consumedDOFs, stored().version], ['user', 12, 2]);
    });

    it('tells how many of its turns had waited long', async () => {
      const told = () => Object.values(firestore.dump('outbox')).find(({ type }) => type === 'session.ended')?.['data'] as { longWaits: number };
      await commitEnd('s1', 'user', { total: 12, lines: [], longWaits: 3 }, now);
      assert.equal(told().longWaits, 3);
    });

    it('keeps what came in the moment before it', async () => {
      overtake = () => extend();
      await end();
      assert.deepEqual([stored().status, stored().heldDOFs, stored().version], ['ended', 60, 3]);
    });

    it('never writes over a final checkpoint', async () => {
      await write('sessions/s1/checkpoints/final', { kept: true });
      await assert.rejects(end(), contention);
      assert.deepEqual([read('sessions/s1/checkpoints/final'), stored().status], [{ kept: true }, 'active']);
    });
  });
});
