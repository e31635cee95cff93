import assert from 'node:assert/strict';
import {
  endAt, endBefore, equalTo, get, limitToFirst, limitToLast, onChildAdded, onChildChanged, onChildMoved, onChildRemoved, orderByChild,
  orderByKey, orderByPriority, orderByValue, query, ref, remove, set, startAfter, startAt, update, type Query, type QueryConstraint,
} from 'firebase/database';
import { until, useLab } from './lab.ts';

const RULES = { '.read': true, '.write': true, mixed: { '.indexOn': '.value' }, people: { '.indexOn': ['age', 'home/city'] } };

const PEOPLE = {
  ada: { age: 36, home: { city: 'London' } },
  bob: { age: 20, home: { city: 'Oslo' } },
  cyd: { age: 20, home: { city: 'Lund' } },
  dan: { home: { city: 'Oslo' } },
  eve: { age: 'unknown' },
};

describe('queries', () => {
  const lab = useLab();
  beforeEach(async () => {
    await lab.current.rules(RULES);
    await lab.current.admin().ref().set({
      people: PEOPLE,
      mixed: { f: 'b', g: 'a', e: 10, d: 9, c: true, b: false, a: { x: 1 }, 2: 'first', 10: 'second', '-1': 'before' },
    });
  });

  async function keys(path: string, ...constraints: QueryConstraint[]): Promise<string[]> {
    const found: string[] = [];
    (await get(query(ref(lab.current.client(), path), ...constraints))).forEach((entry) => { found.push(entry.key); });
    return found;
  }

  it('order by key, integers first', async () => {
    assert.deepEqual(await keys('mixed', orderByKey()), ['-1', '2', '10', 'a', 'b', 'c', 'd', 'e', 'f', 'g']);
    assert.deepEqual(await keys('mixed', orderByKey(), startAt('2'), endAt('b')), ['2', '10', 'a', 'b']);
    assert.deepEqual(await keys('mixed', orderByKey(), startAfter('2'), endBefore('b')), ['10', 'a']);
    assert.deepEqual(await keys('mixed', limitToFirst(3)), ['-1', '2', '10']);
    assert.deepEqual(await keys('mixed', orderByKey(), equalTo('d')), ['d']);
  });

  it('order by value, types apart', async () => {
    assert.deepEqual(await keys('mixed', orderByValue()), ['b', 'c', 'd', 'e', 'g', 'f', '-1', '2', '10', 'a']);
    assert.deepEqual(await keys('mixed', orderByValue(), startAt(10), endBefore('before')), ['e', 'g', 'f']);
    assert.deepEqual(await keys('mixed', orderByValue(), equalTo(true)), ['c']);
    assert.deepEqual(await keys('mixed', orderByValue(), limitToLast(2)), ['10', 'a']);
  });

  it('order by child, children without it first', async () => {
    assert.deepEqual(await keys('people', orderByChild('age'), limitToFirst(4)), ['dan', 'bob', 'cyd', 'ada']);
    assert.deepEqual(await keys('people', orderByChild('age'), equalTo(20)), ['bob', 'cyd']);
    assert.deepEqual(await keys('people', orderByChild('age'), equalTo(null)), ['dan']);
    assert.deepEqual(await keys('people', orderByChild('age'), startAt(20, 'cyd'), endAt(36)), ['cyd', 'ada']);
    assert.deepEqual(await keys('people', orderByChild('age'), startAfter(20)), ['ada', 'eve']);
    assert.deepEqual(await keys('people', orderByChild('home/city'), equalTo('Oslo')), ['bob', 'dan']);
  });

  it('order by priority', async () => {
    await lab.current.admin().ref('ranked').set({ a: { '.value': 1, '.priority': 'x' }, b: { '.value': 2, '.priority': 5 }, c: 3 });
    assert.deepEqual(await keys('ranked', orderByPriority()), ['c', 'b', 'a']);
    assert.deepEqual(await keys('ranked', orderByPriority(), startAt(1)), ['b', 'a']);
  });

  it('show children entering, moving within and leaving a window', async () => {
    const top = query(ref(lab.current.client(), 'people'), orderByChild('age'), startAt(0), endAt(100), limitToLast(2));
    const events = record(top);
    await until(top, (snapshot) => snapshot.size === 2);
    assert.deepEqual(events.splice(0), ['+cyd', '+ada']);
    const writer = ref(lab.current.client(), 'people');
    const step = async (change: Promise<void>, ...expected: string[]): Promise<void> => {
      await change;
      await until(top, () => events.length >= expected.length);
      assert.deepEqual(events.splice(0).sort(), [...expected].sort());
    };
    await step(update(writer, { 'fay/age': 99 }), '-cyd', '+fay');
    await step(update(writer, { 'ada/age': 100 }), '~ada', '>ada');
    await step(remove(ref(lab.current.client(), 'people/fay')), '-fay', '+cyd');
    await step(update(writer, { 'cyd/home/city': 'Umeå' }), '~cyd');
    await step(update(writer, { 'ada/age': 'hidden' }), '-ada', '+bob');
    await step(set(writer, { zoe: { age: 1 } }), '-bob', '-cyd', '+zoe');
    await step(set(writer, null), '-zoe');
  });

  it('of one place do not disturb each other', async () => {
    const db = lab.current.client();
    const first = query(ref(db, 'mixed'), orderByKey(), limitToFirst(1));
    const last = query(ref(db, 'mixed'), orderByKey(), limitToLast(1));
    const firstEvents = record(first);
    const lastEvents = record(last);
    await Promise.all([until(first, () => true), until(last, () => true)]);
    await set(ref(lab.current.client(), 'mixed/z'), 1);
    await until(last, (snapshot) => snapshot.child('z').exists());
    assert.deepEqual([firstEvents, lastEvents], [['+-1'], ['+g', '-g', '+z']]);
  });

  it('warn about a missing index, over the wire', async () => {
    const wire = await lab.current.wire();
    const ask = async (index: string): Promise<unknown> => (await wire.request('q', { p: '/people', q: { i: index, l: 1, vf: 'l' }, t: 1, h: '' })).d;
    assert.deepEqual(await ask('age'), {});
    assert.deepEqual(await ask('height'), { w: ['no_index'] });
    assert.deepEqual(await ask('.key'), {});
  });

  it('send nothing again to a client that has the data', async () => {
    const wire = await lab.current.wire();
    const { hashNode } = await import('./hash.ts');
    const { nodeAt } = await import('./tree.ts');
    const hash = hashNode(nodeAt(lab.current.emulator.databases.get('demo').root, ['people']));
    await wire.request('q', { p: '/people', h: hash });
    assert.deepEqual(wire.messages, []);
    wire.socket.send(JSON.stringify({ t: 'd', d: { r: 99, a: 'q', b: { p: '/people/ada', h: 'other' } } }));
    assert.equal((await wire.next(() => true)).d.b?.p, 'people/ada');
  });
});

/** Writes down the child events of a query: + added, - removed, ~ changed, > moved. */
function record(place: Query): string[] {
  const events: string[] = [];
  onChildAdded(place, (entry) => { events.push(`+${entry.key}`); });
  onChildRemoved(place, (entry) => { events.push(`-${entry.key}`); });
  onChildChanged(place, (entry) => { events.push(`~${entry.key}`); });
  onChildMoved(place, (entry) => { events.push(`>${entry.key}`); });
  return events;
}
