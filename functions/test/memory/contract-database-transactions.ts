import assert from 'node:assert/strict';
import type { Database, DataSnapshot, Reference } from 'firebase-admin/database';
import { freshRef, valueAt } from './contract-database-values.ts';

/** What transactions do: the same on every Realtime Database. */
export function describeDatabaseTransactions(database: () => Database, other: () => Database): void {
  const filled = async (value: unknown): Promise<Reference> => {
    const ref = freshRef(database());
    await ref.set(value);
    return ref;
  };
  /** Runs a transaction and says what it was shown. */
  const shown = async (ref: Reference, change: (current: unknown) => unknown): Promise<{ seen: unknown[]; committed: boolean; value: unknown }> => {
    const seen: unknown[] = [];
    const { committed, snapshot } = await ref.transaction((current: unknown) => {
      seen.push(structuredClone(current));
      return change(current);
    }, undefined, false);
    return { seen, committed, value: snapshot.val() };
  };

  describe('transactions', () => {
    it('create in one attempt', async () => {
      const ref = freshRef(database());
      assert.deepEqual(await shown(ref, (current) => (current === null ? { a: 1, none: null } : undefined)), { seen: [null], committed: true, value: { a: 1 } });
      assert.deepEqual(await valueAt(ref), { a: 1 });
    });

    it('are shown nothing first, then what is there', async () => {
      const ref = await filled({ n: 1 });
      assert.deepEqual(await shown(ref, (current) => (current === null ? null : { n: 2 })), { seen: [null, { n: 1 }], committed: true, value: { n: 2 } });
    });

    it('abort on undefined at first sight: they never ask', async () => {
      const ref = await filled({ n: 1 });
      assert.deepEqual(await shown(ref, () => undefined), { seen: [null], committed: false, value: null });
      assert.deepEqual(await valueAt(ref), { n: 1 });
    });

    it('abort on undefined at the second sight, and show what is there', async () => {
      const ref = await filled({ n: 1 });
      assert.deepEqual(await shown(ref, (current) => (current === null ? { mine: true } : undefined)), { seen: [null, { n: 1 }], committed: false, value: { n: 1 } });
      assert.deepEqual(await valueAt(ref), { n: 1 });
    });

    it('commit null on nothing, and remove with null', async () => {
      const ref = freshRef(database());
      assert.deepEqual(await shown(ref, () => null), { seen: [null], committed: true, value: null });
      await ref.set(5);
      assert.deepEqual(await shown(ref, () => null), { seen: [null, 5], committed: true, value: null });
      assert.equal(await valueAt(ref), null);
    });

    it('come to the exact sum within a process', async () => {
      const ref = freshRef(database());
      const results = await Promise.all(Array.from({ length: 20 }, () => ref.transaction((n: number | null) => (n ?? 0) + 1, undefined, false)));
      assert.ok(results.every(({ committed }) => committed));
      assert.equal(await valueAt(ref), 20);
    });

    it('come to the exact sum between processes', async () => {
      const ref = freshRef(database());
      const there = other().ref(`contract/${ref.key}`);
      await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? ref : there).transaction((n: number | null) => (n ?? 0) + 1, undefined, false)));
      assert.deepEqual([await valueAt(ref), await valueAt(there)], [20, 20]);
    });

    it('let one of two processes claim a place, and show it to the other', async () => {
      const ref = freshRef(database());
      const claims = await Promise.all([database(), other()].map((one, index) => shown(one.ref(`contract/${ref.key}`), (current) => (current === null ? `claim ${index}` : undefined))));
      assert.deepEqual(claims.map(({ committed }) => committed).sort(), [false, true]);
      assert.equal(claims[0]!.value, claims[1]!.value);
    });

    it('of one process wait in line and are shown what the one before would leave', async () => {
      const ref = freshRef(database());
      const [first, second] = await Promise.all([shown(ref, () => 'first'), shown(ref, (current) => (current === null ? 'second' : undefined))]);
      assert.deepEqual([first, second], [{ seen: [null], committed: true, value: 'first' }, { seen: ['first'], committed: false, value: 'first' }]);
    });

    it('under a listener start from what it heard', async () => {
      const ref = await filled({ n: 1 });
      await new Promise((resolve) => { ref.on('value', resolve); });
      assert.deepEqual(await shown(ref, () => ({ n: 2 })), { seen: [{ n: 1 }], committed: true, value: { n: 2 } });
      ref.off('value');
    });

    it('below a listener start from what it heard', async () => {
      const ref = await filled({ n: 1 });
      await new Promise((resolve) => { ref.on('value', resolve); });
      assert.deepEqual((await shown(ref.child('n'), () => 2)).seen, [1]);
      ref.off('value');
    });

    it('are refused a result that cannot be stored', async () => {
      const ref = freshRef(database());
      await assert.rejects(async () => ref.transaction(() => ({ a: undefined })), /undefined/);
    });

    it('call back too', async () => {
      const ref = freshRef(database());
      const told = new Promise((resolve, reject) => {
        void ref.transaction(() => 1, (error, committed, snapshot) => {
          if (error) reject(error);
          else resolve([committed, (snapshot as DataSnapshot).val()]);
        });
      });
      assert.deepEqual(await told, [true, 1]);
    });

    it('are given up when their process sets the place meanwhile', async () => {
      const ref = freshRef(database());
      const running = ref.transaction(() => 'transaction', undefined, false);
      const setting = ref.set('set');
      await Promise.allSettled([running, setting]);
      assert.equal(await valueAt(ref), 'set');
    });
  });
}
