import assert from 'node:assert/strict';
import type { Database, DataSnapshot, Query } from 'firebase-admin/database';
import { freshRef, valueAt } from './contract-database-values.ts';

/** What a listener heard, and a way to wait until it has heard enough. */
function hear(query: Query): { heard: unknown[]; until: (count: number) => Promise<unknown[]>; stop: () => void } {
  const heard: unknown[] = [];
  let announce = (): void => undefined;
  const listener = query.on('value', (snapshot: DataSnapshot) => {
    heard.push(snapshot.val());
    announce();
  });
  return {
    heard,
    until: async (count) => {
      while (heard.length < count) await new Promise<void>((resolve) => { announce = resolve; });
      return heard;
    },
    stop: () => { query.off('value', listener); },
  };
}

/** What listeners hear: the same on every Realtime Database. */
export function describeDatabaseListeners(database: () => Database, other: () => Database): void {
  describe('listeners', () => {
    it('hear the value that is there, never within the call that starts them', async () => {
      const ref = freshRef(database());
      await ref.set({ a: 1 });
      const { heard, until, stop } = hear(ref);
      assert.deepEqual(heard, []);
      assert.deepEqual(await until(1), [{ a: 1 }]);
      stop();
    });

    it('hear null where there is nothing', async () => {
      const { until, stop } = hear(freshRef(database()));
      assert.deepEqual(await until(1), [null]);
      stop();
    });

    it('hear every change of another process, in order', async () => {
      const ref = freshRef(database());
      const there = other().ref(`contract/${ref.key}`);
      const { until, stop } = hear(ref);
      await until(1);
      await there.set({ a: 1 });
      await there.child('b').set(2);
      await there.update({ a: null, 'c/d': 3 });
      await there.remove();
      assert.deepEqual(await until(5), [null, { a: 1 }, { a: 1, b: 2 }, { b: 2, c: { d: 3 } }, null]);
      stop();
    });

    it('hear a change of their own process at once, and once', async () => {
      const ref = freshRef(database());
      const { heard, until, stop } = hear(ref);
      await until(1);
      const setting = ref.set(1);
      assert.deepEqual(heard, [null, 1]);
      await setting;
      await valueAt(freshRef(database()));
      assert.deepEqual(heard, [null, 1]);
      stop();
    });

    it('hear the result of a transaction that is not applied locally before its caller does', async () => {
      const ref = freshRef(database());
      const { heard, until, stop } = hear(ref);
      await until(1);
      const running = ref.transaction(() => 1, undefined, false);
      assert.deepEqual(heard, [null]);
      await running;
      assert.deepEqual(heard, [null, 1]);
      stop();
    });

    it('hear nothing of writes that change nothing, or that are elsewhere', async () => {
      const ref = freshRef(database());
      const there = other().ref(`contract/${ref.key}`);
      await ref.set({ a: 1 });
      const { until, stop } = hear(ref.child('a'));
      await until(1);
      await there.child('a').set(1);
      await there.child('b').set(2);
      await there.child('a').set(3);
      assert.deepEqual(await until(2), [1, 3]);
      stop();
    });

    it('share one place, each with its own start', async () => {
      const ref = freshRef(database());
      await ref.set(1);
      const [first, second] = [hear(ref), hear(ref)];
      await Promise.all([first.until(1), second.until(1)]);
      first.stop();
      await ref.set(2);
      assert.deepEqual([first.heard, second.heard], [[1], [1, 2]]);
      second.stop();
    });

    it('hear nothing after off, not even what was on its way', async () => {
      const ref = freshRef(database());
      const early = hear(ref);
      early.stop();
      const late = hear(ref);
      await late.until(1);
      late.stop();
      await other().ref(`contract/${ref.key}`).set(1);
      assert.equal(await valueAt(ref), 1);
      assert.deepEqual([early.heard, late.heard], [[], [null]]);
    });

    it('hear what a query selects', async () => {
      const ref = freshRef(database());
      await ref.set({ a: { at: 1 }, b: { at: 5 } });
      const { until, stop } = hear(ref.orderByChild('at').endAt(3));
      await until(1);
      await other().ref(`contract/${ref.key}/b/at`).set(2);
      assert.deepEqual(await until(2), [{ a: { at: 1 } }, { a: { at: 1 }, b: { at: 2 } }]);
      stop();
    });

    it('keep a value at hand: a read of their place gives it', async () => {
      const ref = freshRef(database());
      await ref.set({ a: 1 });
      const { until, stop } = hear(ref);
      await until(1);
      assert.deepEqual([await valueAt(ref), await valueAt(ref.child('a'))], [{ a: 1 }, 1]);
      stop();
    });
  });
}
