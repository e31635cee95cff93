import assert from 'node:assert/strict';
import { Timestamp } from 'firebase-admin/firestore';
import { createMemoryDatabase } from './database.ts';
import { createMemoryFirestore } from './firestore.ts';
import { crashed, deaf, lossy, record, settled, unreachable } from './gates.ts';

describe('Firestore in memory, at its gate', () => {
  it('asks once for each request', async () => {
    const { gate, log } = record();
    const firestore = createMemoryFirestore({ gate });
    const ref = firestore.doc('a/1');
    await ref.create({ n: 1 });
    await ref.create({}).catch(() => undefined);
    await firestore.batch().update(ref, { n: 2 }).set(firestore.doc('a/2/b/3'), {}).commit();
    await ref.get();
    await firestore.getAll(ref, firestore.doc('a/2'));
    await firestore.collection('a').where('n', '==', 2).get();
    await firestore.collection('a/2/b').get();
    await firestore.collectionGroup('b').get();
    await firestore.collectionGroup('b').count().get();
    await ref.delete();
    assert.deepEqual(log, ['commit a/1 !', 'commit a/1 !', 'commit a/1 a/2/b/3 !', 'get a/1', 'get a/1 a/2', 'query a', 'query a/2/b', 'query b', 'query b', 'commit a/1 !']);
  });

  it('writes nothing when it crashes before, everything when it crashes after', async () => {
    for (const [gate, wanted] of [[crashed, {}], [deaf, { 'a/1': { n: 1 }, 'a/2': { n: 2 } }]] as const) {
      const firestore = createMemoryFirestore({ gate });
      let answered = false;
      void firestore.batch().set(firestore.doc('a/1'), { n: 1 }).set(firestore.doc('a/2'), { n: 2 }).commit().finally(() => { answered = true; });
      void firestore.doc('a/1').get().finally(() => { answered = true; });
      void firestore.collection('a').get().finally(() => { answered = true; });
      await settled();
      assert.deepEqual([firestore.dump(), answered], [wanted, false]);
    }
  });

  it('passes on what the gate rejects with, before and after', async () => {
    for (const [gate, exists] of [[unreachable, false], [lossy, true]] as const) {
      const firestore = createMemoryFirestore({ gate });
      await assert.rejects(firestore.doc('a/1').set({}), { code: 14 });
      await assert.rejects(firestore.doc('a/1').get(), { code: 14 });
      await assert.rejects(firestore.collection('a').get(), { code: 14 });
      assert.equal(firestore.snapshotAt('a/1').exists, exists);
    }
  });

  it('tells of what every commit changed, and of nothing else', async () => {
    const firestore = createMemoryFirestore();
    const seen: unknown[] = [];
    firestore.onCommit((changes) => seen.push(changes.map(({ path, before, after }) => ({ path, before, after }))));
    const ref = firestore.doc('a/1');
    await ref.set({ n: 1 });
    await ref.set({ n: 1 });
    await ref.create({}).catch(() => undefined);
    await firestore.batch().update(ref, { n: 2 }).update(ref, { m: 3 }).create(firestore.doc('a/2'), {}).commit();
    await ref.delete();
    assert.deepEqual(seen, [
      [{ path: 'a/1', before: undefined, after: { n: 1 } }],
      [{ path: 'a/1', before: { n: 1 }, after: { n: 2, m: 3 } }, { path: 'a/2', before: undefined, after: {} }],
      [{ path: 'a/1', before: { n: 2, m: 3 }, after: undefined }],
    ]);
  });

  it('gives triggers snapshots as they were', async () => {
    const firestore = createMemoryFirestore();
    const seen: (readonly [boolean, boolean, string])[] = [];
    firestore.onCommit(([change]) => seen.push([change!.snapshots.before.exists, change!.snapshots.after.exists, change!.snapshots.after.ref.path]));
    await firestore.doc('a/1').set({ n: 1 });
    await firestore.doc('a/1').delete();
    assert.deepEqual(seen, [[false, true, 'a/1'], [true, false, 'a/1']]);
  });

  it('has times of its clock that rise even when the clock stands still', async () => {
    const firestore = createMemoryFirestore({ now: () => 1_000 });
    const times = [];
    for (let n = 0; n < 3; n++) times.push((await firestore.doc('a/1').set({ n })).writeTime);
    assert.deepEqual(times.map((time) => time.toMillis()), [1_000, 1_000, 1_000]);
    assert.deepEqual(times, [0, 1_000, 2_000].map((nanos) => new Timestamp(1, nanos)));
  });

  it('shares its documents with other processes', async () => {
    const first = createMemoryFirestore();
    const { gate, log } = record();
    const second = createMemoryFirestore({ gate, data: first.data });
    await first.doc('a/1').set({ n: 1 });
    assert.deepEqual([(await second.doc('a/1').get()).data(), log], [{ n: 1 }, ['get a/1']]);
    assert.deepEqual(second.dump('a'), { 'a/1': { n: 1 } });
  });

  it('needs no timer', async () => {
    const timers: unknown[] = [];
    const { setTimeout: original } = globalThis;
    globalThis.setTimeout = ((callback: () => void, ms: number) => { timers.push(ms); return original(callback, ms); }) as typeof setTimeout;
    try {
      const firestore = createMemoryFirestore();
      const database = createMemoryDatabase();
      await firestore.doc('a/1').set({});
      await firestore.collection('a').get();
      await firestore.collection('a').count().get();
      await database.ref('n').set(1);
      await database.ref('n').transaction((current: unknown) => (current === null ? 2 : undefined));
      await database.close();
    } finally {
      globalThis.setTimeout = original;
    }
    assert.deepEqual(timers.filter((ms) => ms !== undefined && Number(ms) < 10_000), []);
  });
});
