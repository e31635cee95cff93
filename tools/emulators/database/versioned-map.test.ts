import assert from 'node:assert/strict';
import { VersionedMap } from './versioned-map.ts';

/** Numbers below `limit`, the same ones every time. */
function numbers(): (limit: number) => number {
  let state = 7;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
}

function assertHolds(version: VersionedMap<number>, expected: Map<string, number>): void {
  assert.equal(version.size, expected.size);
  for (let key = 0; key < 10; key++) {
    assert.equal(version.get(String(key)), expected.get(String(key)));
    assert.equal(version.has(String(key)), expected.has(String(key)));
  }
}

describe('a versioned map', () => {
  it('keeps every version as it was, whichever of them goes on', () => {
    const below = numbers();
    const versions = [{ version: new VersionedMap(new Map<string, number>()), expected: new Map<string, number>() }];
    for (let step = 0; step < 300; step++) {
      const { version, expected } = versions[below(versions.length)]!;
      const key = String(below(10));
      const value = below(3) === 0 ? undefined : step;
      const next = new Map(expected);
      if (value === undefined) next.delete(key);
      else next.set(key, value);
      versions.push({ version: version.with(key, value), expected: next });
      for (const known of versions) assertHolds(known.version, known.expected);
      const listed = versions[below(versions.length)]!;
      assert.deepEqual(new Map(listed.version), listed.expected);
      assert.deepEqual(new Set(listed.version.keys()), new Set(listed.expected.keys()));
    }
  });

  it('lists its entries though the next version is made meanwhile', () => {
    const version = new VersionedMap(new Map([['a', 1], ['b', 2], ['c', 3]]));
    const seen: string[] = [];
    for (const [key] of version) {
      seen.push(key);
      version.with('b', undefined).with(`${key}${key}`, 9);
    }
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('goes back over many versions', () => {
    const first = new VersionedMap(new Map([['0', 0]]));
    let last = first;
    for (let key = 1; key < 100_000; key++) last = last.with(String(key), key);
    assert.deepEqual([...first], [['0', 0]]);
    assert.equal([...last].length, 100_000);
  });
});
