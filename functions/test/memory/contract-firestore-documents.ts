import assert from 'node:assert/strict';
import { FieldPath, FieldValue, Timestamp, type DocumentReference, type Firestore } from 'firebase-admin/firestore';
import { dataOf, freshCollection, freshDocument } from './contract-firestore-fresh.ts';

/** What documents hold after they were written: the same on every Firestore. */
export function describeFirestoreDocuments(firestore: () => Firestore): void {
  const fresh = (): DocumentReference => freshCollection(firestore()).doc('one');
  const written = (data: object): Promise<DocumentReference> => freshDocument(firestore(), data);

  describe('documents', () => {
    it('are missing until they are written', async () => {
      const ref = fresh();
      const snapshot = await ref.get();
      assert.deepEqual([snapshot.exists, snapshot.id, snapshot.ref.path], [false, 'one', ref.path]);
      assert.deepEqual([snapshot.data(), snapshot.get('a'), snapshot.createTime, snapshot.updateTime], [undefined, undefined, undefined, undefined]);
    });

    it('come back as they were written, and as a new copy each time', async () => {
      const data = { text: 'ä', yes: true, none: null, whole: 5, part: 0.5, list: [1, { a: [] }], map: { empty: {}, 'a.b': 1 } };
      const snapshot = await (await written(data)).get();
      assert.deepEqual(snapshot.data(), data);
      (snapshot.data()!['list'] as unknown[]).push('changed');
      assert.deepEqual(snapshot.data(), data);
      assert.deepEqual(snapshot.get('map.empty'), {});
    });

    it('keep nothing of a later change to what was written', async () => {
      const list = [1];
      const ref = fresh();
      const writing = ref.set({ list });
      list.push(2);
      await writing;
      list.push(3);
      assert.deepEqual(((await dataOf(ref)) as { list: number[] }).list.includes(3), false);
    });

    it('drop undefined properties, and maps of nothing else', async () => {
      const ref = await written({ a: 1, gone: undefined, map: { gone: undefined, b: 2 } });
      assert.deepEqual(await dataOf(ref), { a: 1, map: { b: 2 } });
      await ref.update({ a: undefined, map: { gone: undefined } });
      assert.deepEqual(await dataOf(ref), { a: 1 });
    });

    it('keep timestamps to the microsecond, and give dates back as timestamps', async () => {
      const ref = await written({ exact: new Timestamp(1_700_000_000, 123_456_789), date: new Date(1_700_000_000_123) });
      const data = await dataOf(ref) as Record<string, Timestamp>;
      assert.ok(data['exact'] instanceof Timestamp && data['date'] instanceof Timestamp);
      assert.deepEqual([data['exact'].nanoseconds, data['date'].toMillis()], [123_456_000, 1_700_000_000_123]);
    });

    it('are replaced by set, and merged by set with merge', async () => {
      const ref = await written({ a: 1, map: { x: 1, y: 1 } });
      await ref.set({ b: FieldValue.increment(2), map: { x: 2 } }, { merge: true });
      assert.deepEqual(await dataOf(ref), { a: 1, b: 2, map: { x: 2, y: 1 } });
      await ref.set({ b: 3 });
      assert.deepEqual(await dataOf(ref), { b: 3 });
    });

    it('are read together in the order asked for', async () => {
      const ref = await written({ a: 1 });
      const snapshots = await firestore().getAll(ref.parent.doc('none'), ref);
      assert.deepEqual(snapshots.map(({ id, exists }) => [id, exists]), [['none', false], ['one', true]]);
    });
  });

  describe('fields', () => {
    it('are updated by dotted paths, which make the maps on their way', async () => {
      const ref = await written({ map: { keep: 1, change: 1 }, flat: 1 });
      await ref.update({ 'map.change': 2, 'flat.deep': 3, 'new.0c6f-ä b': 4 });
      await ref.update(new FieldPath('map', 'a.b`\\'), 5);
      assert.deepEqual(await dataOf(ref), { map: { keep: 1, change: 2, 'a.b`\\': 5 }, flat: { deep: 3 }, new: { '0c6f-ä b': 4 } });
    });

    it('are deleted by FieldValue.delete, which leaves an empty map and minds no missing field', async () => {
      const ref = await written({ map: { a: 1 }, b: 1 });
      await ref.update({ 'map.a': FieldValue.delete(), 'none.a': FieldValue.delete(), 'b.c': FieldValue.delete() });
      assert.deepEqual(await dataOf(ref), { map: {}, b: 1 });
    });

    it('count with FieldValue.increment from nothing, from numbers, and from what is none', async () => {
      const ref = await written({ whole: 5, part: 0.5, text: 'x' });
      await ref.update({ whole: FieldValue.increment(-7), part: FieldValue.increment(1), text: FieldValue.increment(3), none: FieldValue.increment(4), 'map.none': FieldValue.increment(1.5) });
      assert.deepEqual(await dataOf(ref), { whole: -2, part: 1.5, text: 3, none: 4, map: { none: 1.5 } });
    });

    it('take the time of the commit with FieldValue.serverTimestamp', async () => {
      const ref = await written({ at: FieldValue.serverTimestamp(), map: { at: FieldValue.serverTimestamp() } });
      const snapshot = await ref.get();
      const at = snapshot.get('at') as Timestamp;
      assert.ok(at instanceof Timestamp && at.isEqual(snapshot.get('map.at') as Timestamp));
      assert.ok(Math.abs(at.toMillis() - snapshot.updateTime!.toMillis()) < 5_000);
    });
  });
}
