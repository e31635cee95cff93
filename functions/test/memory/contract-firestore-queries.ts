import assert from 'node:assert/strict';
import { AggregateField, FieldPath, FieldValue, Timestamp, type CollectionReference, type Firestore, type Query } from 'firebase-admin/firestore';
import { freshCollection } from './contract-firestore-fresh.ts';

/** What queries select, and in which order: the same on every Firestore. */
export function describeFirestoreQueries(firestore: () => Firestore): void {
  /** A collection with the given documents. */
  const filled = async (documents: Record<string, object>): Promise<CollectionReference> => {
    const collection = freshCollection(firestore());
    const batch = firestore().batch();
    for (const [id, data] of Object.entries(documents)) batch.create(collection.doc(id), data);
    await batch.commit();
    return collection;
  };
  const ids = async (query: Query): Promise<string> => (await query.get()).docs.map(({ id }) => id).join(' ');

  describe('queries', () => {
    it('give all documents of a collection by id, and say how many', async () => {
      const collection = await filled({ b: {}, a: { x: 1 }, c: {} });
      await collection.doc('a').collection('below').doc('z').set({});
      const { docs, size, empty } = await collection.get();
      assert.deepEqual([docs.map(({ id }) => id), size, empty], [['a', 'b', 'c'], 3, false]);
      assert.deepEqual([docs[0]!.exists, docs[0]!.data(), docs[0]!.ref.path], [true, { x: 1 }, `${collection.path}/a`]);
      assert.equal((await freshCollection(firestore()).get()).empty, true);
    });

    it('compare only values of the same type in ranges', async () => {
      const collection = await filled({ a: { v: 1 }, b: { v: 2.5 }, c: { v: '2' }, d: { v: null }, e: { v: true }, f: {}, g: { v: 3 } });
      assert.equal(await ids(collection.where('v', '>', 0)), 'a b g');
      assert.equal(await ids(collection.where('v', '>=', 2.5)), 'b g');
      assert.equal(await ids(collection.where('v', '<', 'z')), 'c');
      assert.equal(await ids(collection.where('v', '<=', 2.5)), 'a b');
    });

    it('find equal values, null among them, and unequal ones', async () => {
      const collection = await filled({ a: { v: 1 }, b: { v: 1.0 }, c: { v: '1' }, d: { v: null }, e: {}, f: { v: { x: [1] } } });
      assert.equal(await ids(collection.where('v', '==', 1)), 'a b');
      assert.equal(await ids(collection.where('v', '==', null)), 'd');
      assert.equal(await ids(collection.where('v', '==', { x: [1] })), 'f');
      assert.equal(await ids(collection.where('v', '!=', 1)), 'c f');
      assert.equal(await ids(collection.where('v', '!=', null)), 'a b c f');
    });

    it('find values in a list, and lists with a value', async () => {
      const collection = await filled({ a: { v: 1, l: [1, 'x'] }, b: { v: 2, l: ['1'] }, c: { v: 'x' } });
      assert.equal(await ids(collection.where('v', 'in', [2, 'x', 9])), 'b c');
      assert.equal(await ids(collection.where('l', 'array-contains', 1)), 'a');
    });

    it('order values by type, then by value, and leave out documents without the field', async () => {
      const collection = await filled({
        none: {}, text: { v: 'a' }, upper: { v: 'B' }, list: { v: [0] }, map: { v: {} }, big: { v: 10 }, small: { v: 9.5 }, moment: { v: new Timestamp(5, 0) }, yes: { v: true }, no: { v: false }, nil: { v: null },
      });
      assert.equal(await ids(collection.orderBy('v')), 'nil no yes small big moment upper text list map');
      assert.equal(await ids(collection.orderBy('v', 'desc').limit(3)), 'map list text');
    });

    it('order ties by id in the last direction', async () => {
      const collection = await filled({ b: { v: 1 }, a: { v: 1 }, c: { v: 0 } });
      assert.equal(await ids(collection.orderBy('v')), 'c a b');
      assert.equal(await ids(collection.orderBy('v', 'desc')), 'b a c');
      assert.equal(await ids(collection.orderBy(FieldPath.documentId()).startAfter('a')), 'b c');
    });

    it('order by several fields, each in its direction', async () => {
      const collection = await filled({ a: { x: 1, y: 1 }, b: { x: 1, y: 2 }, c: { x: 2, y: 1 }, d: { x: 2 } });
      assert.equal(await ids(collection.orderBy('x').orderBy('y', 'desc')), 'b a c');
    });

    it('order by the field of an inequality when no order is given', async () => {
      const collection = await filled({ a: { v: 3 }, b: { v: 1 }, c: { v: 2 } });
      assert.equal(await ids(collection.where('v', '>', 0)), 'b c a');
      assert.equal(await ids(collection.where('v', '>', 0).orderBy('v', 'desc').limit(2)), 'a c');
    });

    it('take inequalities on two fields', async () => {
      const collection = await filled({ a: { x: 1, y: 5 }, b: { x: 2, y: 4 }, c: { x: 3, y: 9 }, d: { x: 3 } });
      assert.equal(await ids(collection.where('x', '>', 0).where('y', '<', 9)), 'a b');
      assert.equal(await ids(collection.where('y', '<', 9).where('x', '>', 0).orderBy('y')), 'b a');
      assert.equal(await ids(collection.where('x', '>', 0).where('y', '>=', 4).orderBy('x', 'desc')), 'c b a');
    });

    it('join equality, range, order and limit', async () => {
      const moment = (seconds: number): Timestamp => new Timestamp(seconds, 0);
      const collection = await filled({ a: { s: 'open', at: moment(30) }, b: { s: 'open', at: moment(10) }, c: { s: 'done', at: moment(5) }, d: { s: 'open', at: null }, e: { s: 'open', at: moment(1_000_000_000) } });
      const open = collection.where('s', '==', 'open').where('at', '<=', moment(30)).orderBy('at');
      assert.equal(await ids(open), 'b a');
      assert.equal(await ids(open.limit(1)), 'b');
    });

    it('reach into maps', async () => {
      const collection = await filled({ a: { m: { n: 2 } }, b: { m: { n: 1 } }, c: { m: 1 } });
      assert.equal(await ids(collection.orderBy('m.n')), 'b a');
      assert.equal(await ids(collection.where('m.n', '==', 2)), 'a');
    });
  });

  describe('cursors', () => {
    const numbers = { a: { v: 1 }, b: { v: 2 }, c: { v: 2 }, d: { v: 3 } };

    it('start at or after values', async () => {
      const collection = await filled(numbers);
      assert.equal(await ids(collection.orderBy('v').startAfter(2)), 'd');
      assert.equal(await ids(collection.orderBy('v').startAt(2)), 'b c d');
      assert.equal(await ids(collection.orderBy('v', 'desc').startAfter(2)), 'a');
      assert.equal(await ids(collection.orderBy('v').startAt(2).endBefore(3)), 'b c');
    });

    it('start after a second value that tells ties apart', async () => {
      const collection = await filled({ a: { v: 1, id: 'a' }, b: { v: 1, id: 'b' }, c: { v: 1, id: 'c' }, d: { v: 0, id: 'd' } });
      const newest = collection.orderBy('v', 'desc').orderBy('id', 'desc');
      assert.equal(await ids(newest.startAfter(1, 'c').limit(2)), 'b a');
      assert.equal(await ids(newest.startAfter(1, 'b')), 'a d');
    });

    it('start after a document', async () => {
      const collection = await filled(numbers);
      assert.equal(await ids(collection.orderBy('v').startAfter(await collection.doc('b').get())), 'c d');
      assert.equal(await ids(collection.startAfter(await collection.doc('b').get())), 'c d');
      assert.equal(await ids(collection.where('v', '>', 1).startAt(await collection.doc('c').get())), 'c d');
    });

    it('page through everything once', async () => {
      const collection = await filled(numbers);
      const seen: string[] = [];
      for (let query = collection.orderBy('v', 'desc').limit(1), last; ; query = collection.orderBy('v', 'desc').startAfter(last).limit(1)) {
        last = (await query.get()).docs[0];
        if (!last) break;
        seen.push(last.id);
      }
      assert.deepEqual(seen, ['d', 'c', 'b', 'a']);
    });
  });

  describe('aggregates', () => {
    it('count, and sum what are numbers', async () => {
      const collection = await filled({ a: { v: 1 }, b: { v: 2 }, c: { v: 'x' }, d: {}, e: { v: 5, skip: true } });
      const { sum, some } = (await collection.where('v', '<', 5).aggregate({ sum: AggregateField.sum('v'), some: AggregateField.count() }).get()).data();
      assert.deepEqual([sum, some], [3, 2]);
      assert.equal((await collection.aggregate({ sum: AggregateField.sum('v') }).get()).data().sum, 8);
      assert.deepEqual((await freshCollection(firestore()).aggregate({ sum: AggregateField.sum('v') }).get()).data(), { sum: 0 });
      assert.equal((await collection.count().get()).data().count, 5);
    });

    it('reach over collection groups', async () => {
      const root = freshCollection(firestore());
      const group = `group-${root.id}`;
      for (const [id, v] of [['a', 1.5], ['b', 2]] as const) await root.doc(id).collection(group).doc('1').set({ v });
      assert.equal((await firestore().collectionGroup(group).aggregate({ sum: AggregateField.sum('v') }).get()).data().sum, 3.5);
    });
  });

  describe('chosen fields', () => {
    it('are all that a document has', async () => {
      const collection = await filled({ a: { v: 1, w: 2, m: { n: 3, o: 4 } }, b: { w: 5 } });
      assert.deepEqual((await collection.select('v', 'm.n').get()).docs.map((doc) => doc.data()), [{ v: 1, m: { n: 3 } }, {}]);
      assert.deepEqual((await collection.orderBy('w', 'desc').select().limit(1).get()).docs.map((doc) => [doc.id, doc.data()]), [['b', {}]]);
    });
  });

  describe('vectors', () => {
    const vectors = {
      same: { v: FieldValue.vector([2, 0]), s: 'x' }, near: { v: FieldValue.vector([1, 1]), s: 'x' }, across: { v: FieldValue.vector([0, 3]), s: 'x' },
      other: { v: FieldValue.vector([1, 0]), s: 'y' }, longer: { v: FieldValue.vector([1, 0, 0]), s: 'x' }, list: { v: [1, 0], s: 'x' }, none: { s: 'x' },
    };
    const search = { vectorField: 'v', queryVector: [1, 0], limit: 5, distanceMeasure: 'COSINE' as const, distanceResultField: 'd' };

    it('come back as they were written', async () => {
      const collection = await filled(vectors);
      assert.deepEqual(((await collection.doc('near').get()).get('v') as ReturnType<typeof FieldValue.vector>).toArray(), [1, 1]);
    });

    it('are found by their cosine distance, nearest first, among the documents that a filter leaves', async () => {
      const collection = await filled(vectors);
      const { docs } = await collection.where('s', '==', 'x').select('s', 'd').findNearest(search).get();
      assert.deepEqual(docs.map(({ id }) => id), ['same', 'near', 'across']);
      assert.deepEqual(docs.map((doc) => ({ ...doc.data(), d: Math.round(1_000 * (doc.get('d') as number)) })), [{ s: 'x', d: 0 }, { s: 'x', d: 293 }, { s: 'x', d: 1_000 }]);
    });

    it('are found up to a distance and a number', async () => {
      const collection = await filled(vectors);
      const found = async (options: object): Promise<string[]> => (await collection.where('s', '==', 'x').findNearest({ ...search, ...options }).get()).docs.map(({ id }) => id);
      assert.deepEqual(await found({ distanceThreshold: 0.3 }), ['same', 'near']);
      assert.deepEqual(await found({ limit: 1 }), ['same']);
      assert.deepEqual(await found({ queryVector: [1] }), []);
    });
  });

  describe('collection groups', () => {
    it('hold every collection of a name, at any depth, by path', async () => {
      const root = freshCollection(firestore());
      const group = `group-${root.id}`;
      await root.doc('b').collection(group).doc('1').set({ v: 1 });
      await root.doc('a').collection(group).doc('2').set({ v: 1 });
      await firestore().collection(group).doc('3').set({ v: 2 });
      const found = (query: Query): Promise<string[]> => query.get().then(({ docs }) => docs.map(({ ref }) => `${ref.parent.parent?.id ?? '-'}/${ref.id}`));
      assert.deepEqual((await found(firestore().collectionGroup(group))).sort(), ['-/3', 'a/2', 'b/1']);
      assert.deepEqual(await found(firestore().collectionGroup(group).where('v', '==', 1)), ['a/2', 'b/1']);
    });
  });
}
