import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, at, hold, lot, moment } from '../../test/money.ts';
import type { AgentDoc } from '../agents/schema.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { lapse } from './store-admin.ts';

describe('credits: what lapses', () => {
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
  const events = (): { type: string; data: Record<string, unknown> }[] => Object.values(firestore.dump('outbox')) as never;

  it('says nothing of expiry when a hold that lapses only repays a debt', async () => {
    await write('u1', { lots: { g: lot(30) }, holds: { h: hold({ g: 30 }, { expiresAt: at(moment - 1) }) }, debtDOFs: 10, dueAt: at(moment - 1) });
    const lapsed = await lapse({ userId: 'u1', agentInstanceId: 'a1' });
    assert.deepEqual(lapsed?.entries.map(({ type }) => type), ['repayment']);
    assert.deepEqual(events().map(({ type }) => type), ['hold.expired']);
  });
});
