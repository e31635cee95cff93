import assert from 'node:assert/strict';
import {
  child, get, increment, off, onValue, push, ref, remove, serverTimestamp, set, setPriority, setWithPriority, update,
} from 'firebase/database';
import { connected, until, useLab } from './lab.ts';

const OPEN = { '.read': true, '.write': true };

describe('the client SDK', () => {
  const lab = useLab();
  beforeEach(() => lab.current.rules(OPEN));

  it('sets, gets, updates and removes', async () => {
    const db = lab.current.client();
    await set(ref(db, 'a'), { b: 1, c: { d: 'x', e: true, gone: null, empty: {} } });
    assert.deepEqual((await get(ref(db, 'a'))).val(), { b: 1, c: { d: 'x', e: true } });
    await update(ref(db, 'a'), { b: 2, 'c/d': null, 'f/g': 'deep' });
    assert.deepEqual((await get(ref(db, 'a'))).val(), { b: 2, c: { e: true }, f: { g: 'deep' } });
    await remove(ref(db, 'a'));
    assert.equal((await get(ref(db))).exists(), false);
  });

  it('shows writes of one client to another, and to the Admin SDK', async () => {
    const writer = lab.current.client();
    const reader = lab.current.client();
    const admin = lab.current.admin();
    const seen = until(ref(reader, 'room/status'), (snapshot) => snapshot.val() === 'open');
    const adminSees = new Promise<void>((resolve) => {
      admin.ref('room').on('value', (snapshot) => {
        if (JSON.stringify(snapshot.val()) === '{"status":"open"}') resolve();
      });
    });
    await set(ref(writer, 'room/status'), 'open');
    await Promise.all([seen, adminSees]);
    await admin.ref('room/status').set('closed');
    await until(ref(reader, 'room/status'), (snapshot) => snapshot.val() === 'closed');
  });

  it('makes a multi-path update one event for listeners', async () => {
    const writer = lab.current.client();
    const reader = lab.current.client();
    const values: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      onValue(ref(reader, 'x'), (snapshot) => {
        values.push(snapshot.val());
        if (values.length === 2) resolve();
      });
    });
    await until(ref(reader, 'x'), () => true);
    await update(ref(writer), { 'x/a': 1, 'x/b/c': 2, 'y/z': 3 });
    await done;
    assert.deepEqual(values, [null, { a: 1, b: { c: 2 } }]);
  });

  it('pushes children whose keys sort by time', async () => {
    const db = lab.current.client();
    const first = await push(ref(db, 'list'), 'one');
    const second = await push(ref(db, 'list'), 'two');
    assert.ok((first.key ?? '') < (second.key ?? ''));
    const values: unknown[] = [];
    (await get(ref(db, 'list'))).forEach((entry) => { values.push(entry.val()); });
    assert.deepEqual(values, ['one', 'two']);
  });

  it('stops a listener with off()', async () => {
    const db = lab.current.client();
    let calls = 0;
    const place = ref(db, 'place');
    onValue(place, () => { calls += 1; });
    await until(place, () => true);
    off(place);
    await set(place, 1);
    await lab.current.admin().ref('place').set(2);
    assert.equal((await get(place)).val(), 2);
    assert.equal(calls, 1);
  });

  it('carries large values in both directions', async () => {
    const writer = lab.current.client();
    const reader = lab.current.client();
    const text = 'räksmörgås '.repeat(28_000);
    const seen = until(ref(reader, 'big'), (snapshot) => snapshot.exists());
    await set(ref(writer, 'big'), { text });
    assert.equal((await seen).child('text').val(), text);
  });

  it('tears no surrogate pair apart', async () => {
    const text = '😀'.repeat(40_000);
    await lab.current.rest('/big.json', { method: 'PUT', body: JSON.stringify(`x${text}`) });
    assert.equal((await get(ref(lab.current.client(), 'big'))).val(), `x${text}`);
  });

  it('fills in server values', async () => {
    const db = lab.current.client();
    const before = Date.now();
    await set(ref(db, 'v'), { at: serverTimestamp(), count: 5 });
    await update(ref(db, 'v'), { count: increment(2.5), fresh: increment(3), 'deep/at': serverTimestamp() });
    const value = (await get(ref(db, 'v'))).val() as { at: number; count: number; fresh: number; deep: { at: number } };
    assert.equal(value.count, 7.5);
    assert.equal(value.fresh, 3);
    assert.ok(value.at >= before && value.deep.at >= value.at);
  });

  it('keeps priorities', async () => {
    const db = lab.current.client();
    await setWithPriority(ref(db, 'p/b'), 'leaf', 2);
    await set(ref(db, 'p/a'), { x: 1, '.priority': 'word' });
    await setPriority(ref(db, 'p/a'), 1);
    const exported = (await lab.current.admin().ref('p').get()).exportVal();
    assert.deepEqual(exported, { a: { x: 1, '.priority': 1 }, b: { '.value': 'leaf', '.priority': 2 } });
  });

  it('delivers integer keys as arrays', async () => {
    const db = lab.current.client();
    await set(ref(db, 'list'), ['a', 'b', null, 'd']);
    assert.deepEqual((await get(ref(db, 'list'))).val(), ['a', 'b', , 'd']);
    await set(ref(db, 'sparse'), { 0: 'a', 9: 'b' });
    assert.deepEqual((await get(ref(db, 'sparse'))).val(), { 0: 'a', 9: 'b' });
  });

  it('knows .info', async () => {
    const db = lab.current.client();
    await connected(db);
    const offset = (await until(ref(db, '.info/serverTimeOffset'), (snapshot) => snapshot.exists())).val() as number;
    assert.ok(Math.abs(offset) < 1000);
  });

  it('keeps databases apart', async () => {
    await lab.current.rules(OPEN, 'other');
    await set(ref(lab.current.client(), 'where'), 'demo');
    await set(ref(lab.current.client(undefined, 'other'), 'where'), 'other');
    assert.equal((await get(ref(lab.current.client(), 'where'))).val(), 'demo');
    assert.deepEqual((await lab.current.rest('/.json?ns=other')).json, { where: 'other' });
  });

  it('lets a value turn into a branch and back', async () => {
    const db = lab.current.client();
    const place = ref(lab.current.client(), 'place');
    await set(ref(db, 'place'), 5);
    await until(place, (snapshot) => snapshot.val() === 5);
    await set(child(ref(db, 'place'), 'inner'), 6);
    await until(place, (snapshot) => (snapshot.val() as { inner?: number } | null)?.inner === 6);
    await set(child(ref(db, 'place'), 'inner'), null);
    await until(place, (snapshot) => !snapshot.exists());
  });
});
