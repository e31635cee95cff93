import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { notConfigured, vendorDown } from '../providers/failures.ts';
import type { ListedModel, VendorName } from '../providers/types.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { runModelCheck } from './check-models.ts';

const day = 24 * 60 * 60 * 1000;
const start = Date.parse('2026-11-21T12:00:00Z');
const listed = (name: string, shutdownAt: number | null = null): ListedModel => ({ name, shutdownAt });

/** What each vendor lists, call by call, the last for ever; none has no key. */
type Lists = Partial<Record<VendorName, (ListedModel[] | Error)[]>>;

describe('the check of models', () => {
  let time = start;
  let firestore: ReturnType<typeof createMemoryFirestore>;
  let overtake: (() => Promise<unknown>) | null;
  let warnings: Record<string, unknown>[];
  let calls: VendorName[];

  beforeEach(async () => {
    [time, overtake, warnings, calls] = [start, null, [], []];
    const gated = createMemoryFirestore({ gate: async ({ kind }, apply) => {
      const act = kind === 'commit' ? overtake : null;
      if (act) overtake = null;
      await act?.();
      return apply();
    } });
    firestore = createMemoryFirestore({ data: gated.data });
    useDatabases({ firestore: gated, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => time, newId: () => 'id', random: () => 0, after: (ms, act) => { const timer = ms < 10_000 ? setImmediate(act) : undefined; return () => clearImmediate(timer); } });
    useLog({ info: () => undefined, warn: () => undefined, write: (entry) => { warnings.push(entry); } });
    const plain = { vision: 'm', chat: 'm' };
    await firestore.doc('config/server').set({
      endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' },
      modelRouting: { gemini: { ...plain, embedding: 'e' }, google: plain, openai: { ...plain, fallbacks: [{ provider: 'gemini', model: 'f' }] } },
    });
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  const check = (lists: Lists) => runModelCheck((provider) => {
    const own = lists[provider];
    if (!own) return Promise.resolve(null);
    return Promise.resolve({ name: provider, list: () => {
      calls.push(provider);
      const list = own.length > 1 ? own.shift()! : own[0]!;
      return list instanceof Error ? Promise.reject(list) : Promise.resolve(list);
    } });
  });
  const events = () => Object.entries(firestore.dump('outbox')).map(([path, event]) => ({ path, ...event as { type: string; topic: string; sequence: number; data: Record<string, unknown> } }));
  const all = [listed('models/m'), listed('models/e'), listed('models/f')];

  it('finds nothing when every model is there', async () => {
    assert.deepEqual(await check({ gemini: [all], openai: [all] }), { checked: ['gemini', 'openai'], failed: [], findings: 0, published: 0 });
    assert.deepEqual([events(), warnings, firestore.snapshotAt('ops/models').data()], [[], [], { told: [], alerts: 0, checkedAt: start }]);
  });

  it('logs and publishes a model that is shut down soon, with the settings that name it', async () => {
    const shutdownAt = start + 20 * day;
    await check({ gemini: [[listed('models/m', shutdownAt), ...all.slice(1)]] });
    const data = {
      provider: 'gemini', model: 'm', settings: ['config/server.modelRouting.gemini.vision', 'config/server.modelRouting.gemini.chat'],
      kind: 'retiring', shutdownAt: '2026-12-11T12:00:00.000Z', daysLeft: 20,
    };
    assert.deepEqual(events().map(({ path, type, topic, sequence, data }) => ({ path, type, topic, sequence, data })), [
      { path: 'outbox/models-000001-platform.model_retiring', type: 'platform.model_retiring', topic: 'notification-events', sequence: 1, data },
    ]);
    assert.deepEqual(warnings, [{ severity: 'WARNING', message: 'configured model', ...data }]);
  });

  it('publishes once and logs every time, until fewer days are left', async () => {
    const lists: Lists = { gemini: [[listed('m', start + 20 * day), ...all.slice(1)]] };
    const published: number[] = [];
    for (const after of [0, 1, 5, 6, 7, 17, 18]) {
      time = start + after * day;
      published.push((await check(lists)).published);
    }
    assert.deepEqual(published, [1, 0, 0, 1, 0, 1, 0]);
    assert.deepEqual([warnings.length, events().map(({ sequence }) => sequence)], [7, [1, 2, 3]]);
  });

  it('checks the others when a vendor does not answer, and keeps what it knows of that one', async () => {
    const gone = all.slice(0, 2);
    await check({ gemini: [gone], openai: [[listed('n')]] });
    assert.equal(events().length, 2);
    warnings = [];
    const report = await check({ gemini: [notConfigured('the key is refused')], openai: [[listed('n')]] });
    assert.deepEqual(report, { checked: ['openai'], failed: ['gemini'], findings: 1, published: 0 });
    assert.deepEqual(warnings.map(({ message, provider }) => [message, provider]), [['models not listed', 'gemini'], ['configured model', 'openai']]);
    assert.equal((await check({ gemini: [gone], openai: [[listed('n')]] })).published, 0);
  });

  it('asks a busy vendor again', async () => {
    assert.deepEqual((await check({ gemini: [vendorDown('gemini'), all] })).checked, ['gemini']);
    assert.deepEqual(calls, ['gemini', 'gemini']);
  });

  it('keeps count when another check is faster', async () => {
    await check({ gemini: [all] });
    overtake = () => check({ gemini: [all.slice(1)] });
    await check({ gemini: [all] });
    assert.deepEqual([events().length, firestore.snapshotAt('ops/models').data()], [1, { told: [], alerts: 1, checkedAt: start }]);
  });

  it('publishes once when two checks run at the same time', async () => {
    const lists: Lists = { gemini: [all.slice(1)] };
    overtake = () => check(lists);
    assert.equal((await check(lists)).published, 0);
    assert.equal(events().length, 1);
  });
});
