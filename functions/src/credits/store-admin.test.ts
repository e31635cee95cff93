import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, at, hold, lot, moment } from '../../test/money.ts';
import { keepEntries } from '../../test/printed.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { updateAgent } from '../agents/store.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { grant, lapse } from './store-admin.ts';

describe('credits: operations in the store', () => {
  let firestore: ReturnType<typeof createMemoryFirestore>;

  beforeEach(() => {
    firestore = createMemoryFirestore({});
    useDatabases({ firestore, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    keepEntries();
    useSystem({ now: () => moment, newId: () => 'id', random: () => 0, after: (_ms, act) => { setImmediate(act); return () => undefined; } });
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  const write = (userId: string, parts: Partial<AgentDoc> = {}): Promise<unknown> => firestore.doc(`users/${userId}/agents/a1`).set(agent({ ownerId: userId, ...parts }));
  const pay = (userId: string, key: string) => grant(
    { operationId: `grant-${key}`, fingerprint: `${userId}-${key}`, actor: 'root' }, { userId, agentInstanceId: 'a1' },
    { grantId: `grant-${key}`, amount: 40, source: 'purchase', priority: 50, expiresAt: null, rollover: null }, { reason: 'bought', actor: 'root' },
  );

  it('grants to two players whose agents have the same id', async () => {
    for (const userId of ['u1', 'u2']) await write(userId);
    for (const userId of ['u1', 'u2']) assert.equal((await pay(userId, `of-${userId}`)).balanceAfter, 40);
    for (const userId of ['u1', 'u2']) assert.equal((await updateAgent(userId, 'a1', { customName: 'Nick' })).version, 3);
    assert.equal(Object.keys(firestore.dump('outbox')).length, 4);
  });

  it('say nothing of expiry when a hold that lapses only repays a debt', async () => {
    await write('u1', { lots: { g: lot(30) }, holds: { h: hold({ g: 30 }, { expiresAt: at(moment - 1) }) }, debtDOFs: 10, dueAt: at(moment - 1) });
    const lapsed = await lapse({ userId: 'u1', agentInstanceId: 'a1' });
    assert.deepEqual(lapsed?.entries.map(({ type }) => type), ['repayment']);
    assert.deepEqual(Object.values(firestore.dump('outbox')).map(({ type }) => String(type)), ['hold.expired']);
  });

  it('post the holds that pay in advance when they lapse, and release the others', async () => {
    const over = { expiresAt: at(moment) };
    const holds = { paid: hold({ g: 20 }, { ...over, onExpiry: 'post', originSessionId: 's1' }), kept: hold({ g: 5 }, { onExpiry: 'post' }), free: hold({ g: 10 }, over) };
    await write('u1', { lots: { g: lot(50) }, holds, alertThresholds: [40], dueAt: at(moment) });
    for (let sweep = 0; sweep < 2; sweep++) await lapse({ userId: 'u1', agentInstanceId: 'a1' });
    const { currentDOFs, heldDOFs, holds: left } = firestore.snapshotAt('users/u1/agents/a1').data() as AgentDoc;
    assert.deepEqual([currentDOFs, heldDOFs, Object.keys(left)], [30, 5, ['kept']]);
    assert.deepEqual(Object.keys(firestore.dump('users/u1/agents/a1/ledger')), ['users/u1/agents/a1/ledger/post-paid']);
    const events = Object.values(firestore.dump('outbox')).sort((a, b) => Number(a['sequence']) - Number(b['sequence']));
    const about = { userId: 'u1', agentInstanceId: 'a1' };
    assert.deepEqual(events.map(({ type, data }) => [type, data] as unknown), [
      ['hold.posted', { ...about, holdId: 'paid', postedDOFs: 20, releasedDOFs: 0, balanceAfter: 30 }],
      ['hold.expired', { ...about, holdId: 'free', releasedDOFs: 10 }],
      ['agent.low_balance', { ...about, thresholds: [40], currentDOFs: 30 }],
    ]);
  });
});
