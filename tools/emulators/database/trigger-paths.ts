/** Patterns with wildcards, as triggers name the databases and the locations that they watch. */

import type { Commit } from './namespace.ts';
import type { Path } from './path.ts';
import { EMPTY, type DataNode } from './tree.ts';

/** The locations that match the pattern and were changed by the write. */
export function matchPaths(pattern: Path, commit: Commit): Path[] {
  const found = new Map<string, Path>();
  for (const changed of commit.changed) {
    for (const path of expand(pattern, changed, [], commit.before, commit.after)) found.set(path.join('/'), path);
  }
  return [...found.values()];
}

/** Follows the pattern down, along the changed path as far as that goes and then wherever there is a difference. */
function* expand(pattern: Path, changed: Path, here: string[], before: DataNode, after: DataNode): Generator<Path> {
  if (before === after) return;
  const segment = pattern[here.length];
  if (segment === undefined) {
    yield here;
    return;
  }
  if (segment.includes('**')) {
    yield changed.length > here.length ? changed : here;
    return;
  }
  const next = changed[here.length];
  const keys = next === undefined ? new Set([...before.children.keys(), ...after.children.keys()]) : [next];
  for (const key of keys) {
    if (!matchSegment(segment, key)) continue;
    yield* expand(pattern, changed, [...here, key], before.children.get(key) ?? EMPTY, after.children.get(key) ?? EMPTY);
  }
}

/** Does a key, or the name of a database, match one segment of a pattern? */
export function matchSegment(segment: string, key: string): boolean {
  // `{name}` and `{name=pattern}` capture what stands in their place.
  const plain = segment.replace(/\{[^{}=]*(?:=([^{}]*))?\}/g, (_, inner: string | undefined) => inner ?? '*');
  if (!plain.includes('*')) return plain === key;
  const source = plain.split(/\*+/).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*');
  return new RegExp(`^${source}$`, 's').test(key);
}
