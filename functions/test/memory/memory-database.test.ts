import assert from 'node:assert/strict';
import { createMemoryDatabase, type DatabaseOptions, type MemoryDatabase } from './database.ts';
import { crashed, deaf, lossy, record, settled, unreachable } from './gates.ts';

describe('Realtime Database in memory, at its gate', () => {
  const open: MemoryDatabase[] = [];
  const create = (options: DatabaseOptions = {}): MemoryDatabase => {
    const database = createMemoryDatabase(options);
    open.push(database);
    return database;
  };
  after(() => Promise.all(open.map((database) => database.close())));
  const claim = (current: unknown): unknown => (current === null ? 'mine' : undefined);

  it('asks once for each request, and for each attempt of a transaction', async () => {
    const { gate, log } = record();
    const database = create({ gate });
    await database.ref('a').set(1);
    await database.ref('a').get();
    await database.ref().update({ 'b/c': 1, d: 2 });
    await database.ref('b').orderByChild('x').startAt(1).get();
    await database.ref('d').remove();
    database.ref('e').push();
    await database.ref('a').transaction(claim, undefined, false);
    await database.ref('f').transaction(claim, undefined, false);
    await database.ref('a').transaction(() => 2, undefined, false);
    assert.deepEqual(log, ['set a !', 'get a', 'update b/c d !', 'query b', 'remove d !', 'transaction a !', 'transaction f !', 'transaction a !', 'transaction a !']);
  });

  it('asks once for a listener, which nobody reads past while it lasts', async () => {
    const { gate, log } = record();
    const database = create({ gate });
    const heard: unknown[] = [];
    const listener = database.ref('a').on('value', (snapshot) => heard.push(snapshot.val()));
    await settled();
    await database.ref('a').get();
    await database.ref('a').transaction(claim, undefined, false);
    database.ref('a').off('value', listener);
    await settled();
    await database.ref('a').get();
    assert.deepEqual([log, heard], [['listen a', 'transaction a !', 'get a'], [null, 'mine']]);
  });

  it('lets go of the watch of an aborted transaction', async () => {
    const { gate, log } = record();
    const database = create({ gate });
    await database.ref('a').set(1);
    for (let n = 0; n < 2; n++) await database.ref('a').transaction(claim, undefined, false);
    await database.ref('a').get();
    assert.deepEqual(log, ['set a !', 'transaction a !', 'transaction a !', 'get a']);
  });

  it('gives up after 25 attempts that came too late', async () => {
    const { gate, log } = record();
    const database = create();
    const slow = create({ data: database.data, gate: async (io, apply) => {
      if (io.kind === 'transaction') await database.ref('n').set(log.length);
      return gate(io, apply);
    } });
    await assert.rejects(slow.ref('n').transaction(() => 'late', undefined, false), /maxretry/);
    assert.deepEqual([log.length, database.dump('n')], [25, 24]);
  });

  it('writes nothing when it crashes before, everything when it crashes after, and answers neither', async () => {
    for (const [gate, wanted] of [[crashed, null], [deaf, { a: 1, b: 2, c: 'mine' }]] as const) {
      const database = create({ gate });
      let answered = false;
      const requests = [database.ref('a').set(1), database.ref().update({ b: 2 }), database.ref('c').transaction(claim, undefined, false), database.ref('d').get()];
      for (const request of requests) void Promise.resolve<unknown>(request).finally(() => { answered = true; });
      database.ref('a').parent!.child('e').on('value', () => { answered = true; });
      await settled();
      assert.deepEqual([database.dump(), answered], [wanted, false]);
    }
  });

  it('rejects when the gate does, before and after', async () => {
    for (const [gate, wanted] of [[unreachable, null], [lossy, { a: 1, c: 'mine' }]] as const) {
      const database = create({ gate });
      await assert.rejects(database.ref('a').set(1), /no route|connection lost/);
      await assert.rejects(database.ref('c').transaction(claim, undefined, false));
      await assert.rejects(database.ref('a').get());
      const refused = new Promise((resolve) => { database.ref('d').on('value', () => undefined, resolve); });
      assert.ok(await refused instanceof Error);
      assert.deepEqual(database.dump(), wanted);
    }
  });

  it('hands news to deliver, in order and before a later answer', async () => {
    const waiting: (() => void)[] = [];
    const database = create({ deliver: (callback) => waiting.push(callback) });
    const writer = create({ data: database.data });
    const heard: unknown[] = [];
    database.ref('a').on('value', (snapshot) => heard.push(snapshot.val()));
    await settled();
    assert.deepEqual([waiting.length, heard], [1, []]);
    waiting[0]!();
    await writer.ref('a').set(1);
    await writer.ref('a').set(2);
    assert.deepEqual([waiting.length, heard], [3, [null]]);
    waiting[1]!();
    assert.deepEqual(heard, [null, 1]);
    await database.ref('b').set(1);
    assert.deepEqual(heard, [null, 1, 2]);
    waiting[2]!();
    assert.deepEqual(heard, [null, 1, 2]);
  });

  it('starts a transaction from stale news, which the server refuses', async () => {
    const { gate, log } = record();
    const waiting: (() => void)[] = [];
    const database = create({ gate, deliver: (callback) => waiting.push(callback) });
    const writer = create({ data: database.data });
    await writer.ref('a').set(1);
    database.ref('a').on('value', () => undefined);
    await settled();
    waiting[0]!();
    await writer.ref('a').set(2);
    const seen: unknown[] = [];
    await database.ref('a').transaction((current: number) => seen.push(current) && current + 1, undefined, false);
    assert.deepEqual([seen, log, database.dump('a')], [[1, 2], ['listen a', 'transaction a !', 'transaction a !'], 3]);
  });

  it('hears nothing and writes nothing once it is closed', async () => {
    const database = createMemoryDatabase();
    const heard: unknown[] = [];
    database.ref('a').on('value', (snapshot) => heard.push(snapshot.val()));
    await settled();
    await database.close();
    await create({ data: database.data }).ref('a').set(1);
    assert.deepEqual(heard, [null]);
  });
});
