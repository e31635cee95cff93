import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, at, hold, lot, moment } from '../../test/money.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { updateAgent } from '../agents/store.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { grant, lapse } from './store-admin.ts';

describe('credits: operations in the store', () => {
  let firestore: ReturnType<typeof createMemoryFirestore>;

  beforeEach(() => {
    firestore = createMemoryFirestore({});
    useDatabases({ firestore, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => moment, newId: () => 'id', random: () => 0, after: (_ms, act) => { setImmediate(act); return () => undefined; } });
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
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
});
