import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import { createMemoryDatabase } from '../../test/memory/database.ts';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { record } from '../../test/memory/gates.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema } from '../sessions/schema.ts';
import { getServerStatus } from './functions.ts';

const model = { vision: 'm', chat: 'm' };

describe('the status of the service', () => {
  const { gate, log } = record();
  const firestore = createMemoryFirestore({ gate });
  const database = createMemoryDatabase();
  let time = Date.now();

  before(async () => {
    useDatabases({ firestore, live: database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => time, newId: () => '', random: () => 0, after: () => () => undefined });
    await createMemoryFirestore({ data: firestore.data }).doc('config/server').set(serverConfigSchema.parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } }));
  });
  after(async () => {
    useDatabases(null);
    useSystem(null);
    await database.close();
  });

  const status = async (): Promise<string> => (await getServerStatus.handle({}, { caller: { uid: '', email: null, emailVerified: false, admin: false }, emit: () => undefined, signal: new AbortController().signal })).status;

  it('is read once in 5 s, however often anybody asks', async () => {
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, status)), Array<string>(20).fill('up'));
    assert.deepEqual(log, ['get config/server']);
    await createMemoryFirestore({ data: firestore.data }).doc('config/server').update({ maintenance: true });
    time += 4_999;
    assert.equal(await status(), 'up');
    time += 1;
    assert.equal(await status(), 'maintenance');
    assert.equal(log.length, 2);
  });
});
