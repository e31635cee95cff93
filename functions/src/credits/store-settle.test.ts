import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { moment } from '../../test/money.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { checkpointsBetween } from '../usage/store.ts';
import type { UsageLine } from './schema.ts';
import { createCheckpoint } from './store-settle.ts';

const minute = 60_000;
const line = (from: number, to: number, at: number): UsageLine => ({
  requestId: `r${to}`, turnId: `t${to}`, at, from, to, outcome: 'complete', estimated: false, provider: 'offline', model: 'm', input: { frame: null, instruction: true, audioSeconds: 0 }, usage: {},
});

describe('credits: checkpoints', () => {
  beforeEach(() => useDatabases({ firestore: createMemoryFirestore({}), live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub }));
  afterEach(() => useDatabases(null));

  it('are found by the moment of each of their turns, although the clocks of the instances differ', async () => {
    const turns = [line(0, 5, moment + 10 * minute), line(5, 9, moment), line(9, 12, moment - 10 * minute), line(12, 15, moment)];
    await createCheckpoint({ sessionId: 's1', ownerId: 'u1', agentInstanceId: 'a1' }, 15, turns);
    for (const { at } of turns) {
      let found = 0;
      for await (const { total } of checkpointsBetween('u1', { from: at, to: at + 1 })) found += Number(total === 15);
      assert.equal(found, 1, String(at - moment));
    }
  });
});
