import assert from 'node:assert/strict';
import {
  get, limitToFirst, limitToLast, onValue, orderByChild, orderByKey, orderByValue, query, ref, startAt, endAt, type Database, type DataSnapshot, type Query,
  type QueryConstraint,
} from 'firebase/database';
import { until, useLab } from './lab.ts';

interface Place {
  path: string;
  constraints?: QueryConstraint[];
}

function queryFor(db: Database, { path, constraints = [] }: Place): Query {
  return query(ref(db, path), ...constraints);
}

/** Numbers that look random and are the same in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('listeners of every kind', () => {
  const lab = useLab();

  it('end up with the data that the server has', async () => {
    await lab.current.rules({ '.read': true, '.write': true, '.indexOn': ['v', '.value'], a: { '.indexOn': ['v', '.value'] } });
    const listening = lab.current.client();
    const places: Place[] = [
      { path: 'a' }, { path: 'a/b' }, { path: 'c/a/b' },
      { path: 'a', constraints: [orderByKey(), limitToFirst(2)] },
      { path: 'a', constraints: [orderByChild('v'), limitToLast(2)] },
      { path: 'a', constraints: [orderByValue(), startAt(2), endAt('x')] },
      { path: 'b', constraints: [orderByChild('v'), startAt(1), endAt(6), limitToFirst(2)] },
      { path: 'b', constraints: [limitToLast(3)] },
    ];
    const seen = new Map<Place, DataSnapshot>();
    for (const place of places) onValue(queryFor(listening, place), (snapshot) => { seen.set(place, snapshot); });
    await Promise.all(places.map((place) => until(queryFor(listening, place), () => true)));

    const random = generator(20_24);
    const key = (): string => ['a', 'b', 'c', '1', '2', 'v'][random(6)] ?? 'a';
    const path = (): string => Array.from({ length: 1 + random(3) }, key).join('/');
    const value = (depth: number): unknown => {
      const kind = random(depth > 2 ? 4 : 8);
      if (kind === 0) return null;
      if (kind < 3) return random(9);
      if (kind === 3) return ['x', 'y', true, false][random(4)];
      const children = Array.from({ length: 1 + random(3) }, (): [string, unknown] => [key(), value(depth + 1)]);
      return kind === 4 ? { ...Object.fromEntries(children), '.priority': random(4) } : Object.fromEntries(children);
    };
    const wire = await lab.current.wire();
    for (let round = 0; round < 600; round++) {
      if (random(4) > 0) await wire.request('p', { p: path(), d: value(0) });
      else await wire.request('m', { p: '/', d: { [`a/${key()}`]: value(1), [`b/${key()}`]: value(1), [`c/${path()}`]: value(1) } });
      if (round % 60 > 0) continue;
      // Once this has arrived at the listening client, so has everything before it.
      await wire.request('p', { p: '/done', d: round });
      await until(ref(listening, 'done'), (snapshot) => snapshot.val() === round);
      const fresh = lab.current.client();
      for (const [place, snapshot] of seen) {
        const now = await get(queryFor(fresh, place));
        assert.deepEqual(snapshot.exportVal(), now.exportVal(), `round ${round}, ${JSON.stringify(place)}`);
        const { json } = await lab.current.rest(`/${place.path}.json?format=export`);
        if (place.constraints === undefined) assert.deepEqual(snapshot.exportVal(), json);
      }
    }
  }).timeout(10_000);
});
