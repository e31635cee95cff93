import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database, Query, Reference } from 'firebase-admin/database';

/** A place of a test's own. */
export function freshRef(database: Database): Reference {
  return database.ref(`contract/${randomUUID()}`);
}

/** The value at a place. */
export async function valueAt(query: Query): Promise<unknown> {
  return (await query.get()).val();
}

/** What is stored, and what queries select: the same on every Realtime Database. */
export function describeDatabaseValues(database: () => Database): void {
  const filled = async (value: unknown): Promise<Reference> => {
    const ref = freshRef(database());
    await ref.set(value);
    return ref;
  };
  const keys = async (query: Query): Promise<string> => {
    const found: string[] = [];
    (await query.get()).forEach((child) => { found.push(child.key); });
    return found.join(' ');
  };

  describe('values', () => {
    it('come back as they were set', async () => {
      const value = { text: 'ä', yes: false, number: -0.5, deep: { er: { est: 1 } } };
      const ref = await filled(value);
      const snapshot = await ref.get();
      assert.deepEqual([snapshot.val(), snapshot.exists(), snapshot.key], [value, true, ref.key]);
      assert.deepEqual([snapshot.child('deep/er').val(), snapshot.child('none').exists(), snapshot.child('none').val()], [{ est: 1 }, false, null]);
      assert.equal((await freshRef(database()).get()).exists(), false);
    });

    it('vanish when they are null or empty, and so do places that hold nothing else', async () => {
      const ref = await filled({ a: 1, none: null, empty: {}, list: [], deep: { only: null } });
      assert.deepEqual(await valueAt(ref), { a: 1 });
      await ref.child('a').set(null);
      assert.equal(await valueAt(ref), null);
      assert.equal(await valueAt(ref.parent!.child(ref.key!)), null);
    });

    it('are lists when their keys are', async () => {
      assert.deepEqual(await valueAt(await filled(['a', 'b', null, 'd'])), Object.assign(['a', 'b'], { 3: 'd' }));
      assert.deepEqual(await valueAt(await filled({ 0: 'a', 1: 'b' })), ['a', 'b']);
      assert.deepEqual(await valueAt(await filled({ 0: 'a', 9: 'b' })), { 0: 'a', 9: 'b' });
    });

    it('are copies of what was given, and given as copies', async () => {
      const value = { deep: { a: 1 } };
      const ref = freshRef(database());
      const setting = ref.set(value);
      value.deep.a = 2;
      await setting;
      const snapshot = await ref.get();
      (snapshot.val() as typeof value).deep.a = 3;
      assert.deepEqual(snapshot.val(), { deep: { a: 1 } });
    });

    it('are removed', async () => {
      const ref = await filled({ a: 1, b: 2 });
      await ref.child('a').remove();
      assert.deepEqual(await valueAt(ref), { b: 2 });
    });
  });

  describe('updates', () => {
    it('change several places at once, deep ones too, and leave the rest', async () => {
      const ref = await filled({ a: 1, b: { x: 1, y: 1 }, c: 1 });
      await ref.update({ a: 2, 'b/x': null, 'd/e/f': 3, c: { g: 1 } });
      assert.deepEqual(await valueAt(ref), { a: 2, b: { y: 1 }, d: { e: { f: 3 } }, c: { g: 1 } });
      await ref.update({});
      await database().ref().update({ [`contract/${ref.key}/a`]: 4, [`contract/${ref.key}/b`]: null });
      assert.deepEqual(await valueAt(ref), { a: 4, d: { e: { f: 3 } }, c: { g: 1 } });
    });

    it('write nothing when one of their paths is refused', async () => {
      const ref = await filled({ a: 1 });
      await assert.rejects(async () => ref.update({ a: 2, 'b/c': 1, b: 1 }), /ancestor/);
      assert.deepEqual(await valueAt(ref), { a: 1 });
    });
  });

  describe('bad input', () => {
    it('with undefined anywhere is refused at once', () => {
      const ref = freshRef(database());
      assert.throws(() => void ref.set(undefined), /undefined/);
      assert.throws(() => void ref.set({ a: { b: undefined } }), /undefined/);
      assert.throws(() => void ref.update({ a: undefined }), /undefined/);
      assert.throws(() => void ref.update({ a: { b: undefined } }), /undefined/);
      assert.throws(() => void ref.push({ a: undefined }), /undefined/);
    });

    it('with keys or numbers that cannot be is refused at once', () => {
      const ref = freshRef(database());
      for (const key of ['a.b', 'a#', 'a$', 'a[', 'a]', 'a/b']) assert.throws(() => void ref.set({ [key]: 1 }), /Invalid|invalid|contain/, key);
      for (const path of ['a.b', 'a#', 'a$', 'a[', 'a]']) assert.throws(() => ref.child(path), /paths must be/i, path);
      for (const value of [NaN, Infinity, () => 1]) assert.throws(() => void ref.set({ a: value }), /contains/);
    });
  });

  describe('push', () => {
    it('makes keys in order, with or without a value', async () => {
      const ref = freshRef(database());
      const first = ref.push().key;
      const second = ref.push({ n: 2 });
      const third = await ref.push({ n: 3 });
      assert.ok(first < second.key && second.key < third.key!);
      await second;
      assert.deepEqual(await valueAt(ref), { [second.key]: { n: 2 }, [third.key!]: { n: 3 } });
      assert.equal(third.parent!.key, ref.key);
    });
  });

  describe('queries', () => {
    const meters = { a: { at: 30 }, b: { at: 10 }, c: { other: 1 }, d: { at: 10, x: 1 }, e: { at: 'text' }, f: { at: false } };

    it('order by a child, nothing first, ties by key', async () => {
      assert.equal(await keys((await filled(meters)).orderByChild('at')), 'c f b d a e');
    });

    it('select a range of a child, without those that lack it', async () => {
      const ref = await filled(meters);
      assert.equal(await keys(ref.orderByChild('at').startAt(1).endAt(30)), 'b d a');
      assert.equal(await keys(ref.orderByChild('at').startAt(1).endAt(30).limitToFirst(2)), 'b d');
      assert.equal(await keys(ref.orderByChild('at').startAt(1).endAt(30).limitToLast(2)), 'd a');
      assert.equal(await keys(ref.orderByChild('at').startAfter(10).endAt(30)), 'a');
      assert.equal(await keys(ref.orderByChild('at').startAfter(10, 'b').endAt(30)), 'd a');
      assert.equal(await keys(ref.orderByChild('at').equalTo(10)), 'b d');
      assert.equal(await keys(ref.orderByChild('at').endAt(5)), 'c f');
      assert.equal(await valueAt(ref.orderByChild('at').startAt(31).endAt(99)), null);
    });

    it('give only what they select as their value', async () => {
      assert.deepEqual(await valueAt((await filled(meters)).orderByChild('at').startAt(1).endAt(10)), { b: meters.b, d: meters.d });
      assert.equal(await keys((await filled({ a: { m: { n: 2 } }, b: { m: { n: 1 } } })).orderByChild('m/n')), 'b a');
    });

    it('select by key, numbers first', async () => {
      const ref = await filled({ b: 1, 10: 1, 9: 1, a: 1 });
      assert.equal(await keys(ref.orderByKey()), '9 10 a b');
      assert.equal(await keys(ref.orderByKey().startAt('10').limitToFirst(2)), '10 a');
      assert.equal(await keys(ref.orderByKey().startAfter('10')), 'a b');
      assert.equal(await keys(ref.orderByKey().equalTo('b')), 'b');
      assert.equal(await keys(ref.orderByKey().limitToLast(1)), 'b');
    });
  });
}
