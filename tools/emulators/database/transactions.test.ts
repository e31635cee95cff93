import assert from 'node:assert/strict';
import { get, onValue, ref, runTransaction, set, type Database } from 'firebase/database';
import { hashNode } from './hash.ts';
import { parseNode } from './parse.ts';
import { EMPTY } from './tree.ts';
import { until, useLab } from './lab.ts';

const OPEN = { '.read': true, '.write': true };

async function incrementBy(db: Database, path: string): Promise<void> {
  const { committed } = await runTransaction(ref(db, path), (current: number | null) => (current ?? 0) + 1);
  assert.ok(committed);
}

describe('transactions', () => {
  const lab = useLab();
  beforeEach(() => lab.current.rules(OPEN));

  it('come to the exact sum when clients compete', async () => {
    const clients = Array.from({ length: 8 }, () => lab.current.client());
    await Promise.all(Array.from({ length: 64 }, (_, turn) => {
      const client = clients[turn % clients.length];
      assert.ok(client);
      return incrementBy(client, 'counter');
    }));
    assert.equal((await lab.current.rest('/counter.json')).json, 64);
  });

  it('agree on the hash of every kind of data', async () => {
    const data = {
      text: 'ünïcödé 😀', empty: '', yes: true, no: false, '-': { a: 1 }, 10: 'ten', 9: 'nine', '007': 'padded', 'a b': 0,
      numbers: [0.1, -1, 1e21, 5e-324, 2 ** 53, 1 / 3, -0.5, 8, 1000, 2 ** 29, 1_790_000_000_000, 1.7976931348623157e308],
      ordered: { x: { '.value': 1, '.priority': 2 }, b: { '.value': 2, '.priority': 'z' }, a: { '.value': 3, '.priority': -1.5 }, none: 4 },
      '.priority': 7,
    };
    const db = lab.current.client();
    await set(ref(db, 'data'), data);
    // Exactly two attempts mean that the first answer to real data was accepted: one on the guess
    // that there is nothing, one on what is there.
    let attempts = 0;
    const result = await runTransaction(ref(lab.current.client(), 'data'), (current: Record<string, unknown> | null) => {
      attempts += 1;
      return current === null ? current : { ...current, done: true };
    });
    assert.ok(result.committed);
    assert.ok(attempts <= 2, `${attempts} attempts`);
    assert.equal(result.snapshot.child('done').val(), true);
  });

  it('give a client what changed when its view was stale', async () => {
    const wire = await lab.current.wire();
    await wire.request('p', { p: '/n', d: 5 });
    const stale = await wire.request('p', { p: '/n', d: 6, h: hashNode(parse(4)) });
    assert.deepEqual(stale, { s: 'datastale', d: 'Transaction hash does not match' });
    assert.equal((await wire.request('p', { p: '/n', d: 6, h: hashNode(parse(5)) })).s, 'ok');
    assert.equal((await wire.request('p', { p: '/fresh', d: 1, h: '' })).s, 'ok');
  });

  it('can be aborted by the client', async () => {
    const db = lab.current.client();
    await set(ref(db, 'n'), 1);
    await new Promise<void>((resolve) => { onValue(ref(db, 'n'), () => { resolve(); }); });
    const { committed, snapshot } = await runTransaction(ref(db, 'n'), () => undefined);
    assert.equal(committed, false);
    assert.equal(snapshot.val(), 1);
  });

  it('work for the Admin SDK', async () => {
    const admin = lab.current.admin();
    await admin.ref('n').set(40);
    const results = await Promise.all([1, 2].map(() => admin.ref('n').transaction((current) => (current ?? 0) + 1)));
    assert.ok(results.every(({ committed }) => committed));
    assert.equal((await admin.ref('n').get()).val(), 42);
  });

  it('are refused by the rules', async () => {
    await lab.current.rules({ n: { '.read': true, '.write': '!data.exists() || newData.val() === data.val() + 1' } });
    const db = lab.current.client();
    await set(ref(db, 'n'), 1);
    await incrementBy(db, 'n');
    await assert.rejects(runTransaction(ref(db, 'n'), (current: number | null) => (current ?? 0) + 5), /permission_denied/i);
    assert.equal((await get(ref(db, 'n'))).val(), 2);
  });

  it('show other listeners no value in between', async () => {
    const seen: unknown[] = [];
    const reader = lab.current.client();
    onValue(ref(reader, 'n'), (snapshot) => { seen.push(snapshot.val()); });
    await until(ref(reader, 'n'), () => true);
    await Promise.all([1, 2, 3].map(() => incrementBy(lab.current.client(), 'n')));
    await until(ref(reader, 'n'), (snapshot) => snapshot.val() === 3);
    assert.deepEqual(seen, [null, 1, 2, 3]);
  });
});

function parse(json: unknown): ReturnType<typeof parseNode> {
  return parseNode(json, { now: 0, existing: EMPTY, depth: 0 });
}
