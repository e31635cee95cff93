import assert from 'node:assert/strict';
import { FieldValue, Timestamp, type DocumentReference, type Firestore, type Precondition, type WriteBatch } from 'firebase-admin/firestore';
import { dataOf, freshCollection, freshDocument } from './contract-firestore-fresh.ts';

/** The gRPC status a request is refused with; 0 when it is not. */
async function codeOf(request: Promise<unknown>): Promise<unknown> {
  return request.then(() => 0, (error: unknown) => (error as { code?: unknown }).code);
}

/** Which commits come through, and when: the same on every Firestore. */
export function describeFirestoreCommits(firestore: () => Firestore): void {
  const fresh = (): DocumentReference => freshCollection(firestore()).doc('one');
  const written = (data: object): Promise<DocumentReference> => freshDocument(firestore(), data);
  const lastUpdate = async (ref: DocumentReference): Promise<Precondition> => ({ lastUpdateTime: (await ref.get()).updateTime! });
  const missing = { lastUpdateTime: Timestamp.fromMillis(1_000_000) };

  describe('preconditions', () => {
    it('refuse with the codes of gRPC', async () => {
      const ref = await written({ a: 1 });
      const none = ref.parent.doc('none');
      assert.deepEqual(await Promise.all([
        codeOf(none.update({ a: 1 })),
        codeOf(ref.create({ a: 1 })),
        codeOf(ref.update({ a: 2 }, missing)),
        codeOf(ref.delete(missing)),
        codeOf(none.delete({ exists: true })),
        codeOf(none.delete()),
      ]), [5, 6, 9, 9, 5, 0]);
      assert.deepEqual(await dataOf(ref), { a: 1 });
    });

    it('on the time of a document fail when it is missing', async () => {
      const none = fresh();
      assert.deepEqual([await codeOf(none.update({ a: 1 }, missing)), await codeOf(none.delete(missing))], [9, 9]);
    });

    it('hold for a document as it was read', async () => {
      const ref = await written({ a: 1 });
      await ref.update({ a: 2 }, await lastUpdate(ref));
      await ref.delete(await lastUpdate(ref));
      assert.equal((await ref.get()).exists, false);
    });

    it('let exactly one of many win that read the same', async () => {
      const ref = await written({ n: 0 });
      const read = await lastUpdate(ref);
      const codes = await Promise.all([1, 2, 3, 4, 5].map((n) => codeOf(ref.update({ n }, read))));
      assert.deepEqual(codes.sort(), [0, 9, 9, 9, 9]);
    });

    it('let exactly one of many create', async () => {
      const ref = fresh();
      const codes = await Promise.all([1, 2, 3, 4, 5].map((n) => codeOf(ref.create({ n }))));
      assert.deepEqual(codes.sort(), [0, 6, 6, 6, 6]);
    });

    it('fail after a document was deleted and made again', async () => {
      const ref = await written({ a: 1 });
      const read = await lastUpdate(ref);
      await ref.delete();
      await ref.set({ a: 1 });
      assert.equal(await codeOf(ref.update({ a: 2 }, read)), 9);
    });
  });

  describe('update times', () => {
    it('rise with every change, while the create time stays', async () => {
      const ref = await written({ a: 1 });
      const first = await ref.get();
      const { writeTime } = await ref.update({ a: 2 });
      const second = await ref.get();
      assert.ok(second.createTime!.isEqual(first.createTime!) && second.updateTime!.isEqual(writeTime));
      assert.ok(second.updateTime!.valueOf() > first.updateTime!.valueOf());
    });

    it('stay when a write changes nothing', async () => {
      const ref = await written({ a: 1, map: { b: 1 } });
      const read = await lastUpdate(ref);
      await ref.update({ a: 1 });
      await ref.set({ a: 1, map: { b: 1 } });
      await ref.update({ 'map.b': FieldValue.increment(0) });
      assert.equal(await codeOf(ref.update({ a: 2 }, read)), 0, 'the document is still as it was read');
    });

    it('are one for all writes of a commit', async () => {
      const collection = freshCollection(firestore());
      const batch = firestore().batch().set(collection.doc('a'), { n: 1 }).set(collection.doc('b'), { n: 1 });
      const results = await batch.commit();
      const [a, b] = await firestore().getAll(collection.doc('a'), collection.doc('b'));
      assert.ok(a!.updateTime!.isEqual(b!.updateTime!) && results.every(({ writeTime }) => writeTime.isEqual(a!.updateTime!)));
    });
  });

  describe('batches', () => {
    it('write nothing when their last write fails', async () => {
      const ref = await written({ a: 1 });
      const others = ['x', 'y'].map((id) => ref.parent.doc(id));
      const [create, update, version] = [1, 2, 3].map(() => firestore().batch().create(others[0]!, { a: 1 }).update(ref, { a: 2 }));
      await others[1]!.set({ b: 1 });
      assert.equal(await codeOf(create!.create(others[1]!, {}).commit()), 6);
      assert.equal(await codeOf(update!.update(ref.parent.doc('none'), { a: 1 }).commit()), 5);
      assert.equal(await codeOf(version!.delete(others[1]!, missing).commit()), 9);
      assert.deepEqual([await dataOf(ref), await dataOf(others[0]!), await dataOf(others[1]!)], [{ a: 1 }, undefined, { b: 1 }]);
    });

    it('write one document several times, in order', async () => {
      const ref = fresh();
      await firestore().batch().create(ref, { n: 1 }).update(ref, { n: FieldValue.increment(2), m: 1 }).update(ref, { m: FieldValue.delete() }).commit();
      assert.deepEqual(await dataOf(ref), { n: 3 });
      await firestore().batch().delete(ref).create(ref, { again: true }).commit();
      assert.deepEqual(await dataOf(ref), { again: true });
    });

    it('refuse writes of one document that contradict each other', async () => {
      const ref = await written({ n: 1 });
      const read = await lastUpdate(ref);
      const batch = (): WriteBatch => firestore().batch();
      const codes = await Promise.all([
        batch().set(ref, { n: 2 }).create(ref, {}),
        batch().create(ref, {}).create(ref, {}),
        batch().delete(ref).update(ref, { n: 2 }),
        batch().delete(ref, { exists: true }).delete(ref, { exists: true }),
        batch().update(ref, { m: 1 }).update(ref, { n: 2 }, read),
      ].map((one) => codeOf(one.commit())));
      assert.deepEqual([codes, await dataOf(ref)], [[3, 3, 3, 3, 3], { n: 1 }]);
    });

    it('hold the time of a document as it was before them', async () => {
      const ref = await written({ n: 1 });
      const read = await lastUpdate(ref);
      assert.equal(await codeOf(firestore().batch().update(ref, { n: 2 }, read).update(ref, { m: 0 }).update(ref, { m: 1 }, read).commit()), 0);
      assert.deepEqual(await dataOf(ref), { n: 2, m: 1 });
    });

    it('may be empty, and are committed once', async () => {
      const batch = firestore().batch();
      assert.deepEqual(await batch.commit(), []);
      assert.throws(() => batch.set(fresh(), {}), /Cannot modify/);
    });
  });
}
