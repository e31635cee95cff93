/** The orders in which the database lists the children of a node. */

import { EMPTY, leafNode, nodeAt, type DataNode, type Leaf } from './tree.ts';
import type { Path } from './path.ts';

/** What children are ordered by. */
export type Index =
  | { kind: 'key' }
  | { kind: 'value' }
  | { kind: 'priority' }
  | { kind: 'child'; path: Path };

/** A child together with its key. */
export type Entry = readonly [key: string, node: DataNode];

/** Stand-ins that a client sends for a key before and after every other one. */
export const MIN_KEY = '[MIN_NAME]';
export const MAX_KEY = '[MAX_NAME]';

const INTEGER = /^-?0*\d{1,10}$/;

function asInteger(key: string): number | null {
  if (!INTEGER.test(key)) return null;
  const value = Number(key);
  return value >= -2147483648 && value <= 2147483647 ? value : null;
}

/** Orders keys: 32-bit integers by value, then all others by code unit. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (a === MIN_KEY || b === MAX_KEY) return -1;
  if (b === MIN_KEY || a === MAX_KEY) return 1;
  const first = asInteger(a);
  const second = asInteger(b);
  if (first !== null) {
    if (second === null) return -1;
    return first === second ? a.length - b.length : first - second;
  }
  if (second !== null) return 1;
  return a < b ? -1 : 1;
}

function rank(node: DataNode): number {
  if (node.children.size > 0) return 4;
  if (node.value === null) return 0;
  if (typeof node.value === 'boolean') return 1;
  return typeof node.value === 'number' ? 2 : 3;
}

/** Orders values: nothing, false, true, numbers, strings, objects. Objects are all equal. */
export function compareValues(a: DataNode, b: DataNode): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  const first = a.value;
  const second = b.value;
  if (first === second || first === null || second === null) return 0;
  return first < second ? -1 : 1;
}

/** The part of a child that an index looks at. */
export function indexedPart(index: Index, node: DataNode): DataNode {
  switch (index.kind) {
    case 'key': return EMPTY;
    case 'value': return node;
    case 'priority': return node.priority === null ? EMPTY : leafNode(node.priority);
    case 'child': return nodeAt(node, index.path);
  }
}

/** Compares a child with a bound, both given as indexed part and key. */
export function comparePosts(index: Index, aPart: DataNode, aKey: string, bPart: DataNode, bKey: string): number {
  if (index.kind !== 'key') {
    const difference = compareValues(aPart, bPart);
    if (difference !== 0) return difference;
  }
  return compareKeys(aKey, bKey);
}

/** A name for the index that tells it from every other one. */
export function indexName(index: Index): string {
  return index.kind === 'child' ? index.path.join('/') : `.${index.kind}`;
}

const sortedByNode = new WeakMap<DataNode, Map<string, readonly Entry[]>>();

/** The children of a node in the order of an index. Kept for as long as the node lives. */
export function sortedChildren(node: DataNode, index: Index): readonly Entry[] {
  if (node.children.size === 0) return [];
  const known = sortedByNode.get(node)?.get(indexName(index));
  return known ?? remember(node, index, [...node.children].sort(comparator(index)));
}

/** As sortedChildren, for a node of which an earlier version was sorted and little has changed since. */
export function sortedAgain(before: DataNode, node: DataNode, index: Index): readonly Entry[] {
  const known = sortedByNode.get(node)?.get(indexName(index));
  const old = sortedByNode.get(before)?.get(indexName(index));
  if (known !== undefined || old === undefined) return sortedChildren(node, index);
  const kept = old.filter(([key, child]) => node.children.get(key) === child);
  const changed = [...node.children].filter(([key, child]) => before.children.get(key) !== child);
  if (changed.length > 16) return sortedChildren(node, index);
  const compare = comparator(index);
  for (const entry of changed) kept.splice(firstIndex(kept, (other) => compare(other, entry) > 0), 0, entry);
  return remember(node, index, kept);
}

/** The first position at which the test holds, in a list where it holds from some point on. */
export function firstIndex(entries: readonly Entry[], test: (entry: Entry) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry !== undefined && test(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function comparator(index: Index): (a: Entry, b: Entry) => number {
  return (a, b) => comparePosts(index, indexedPart(index, a[1]), a[0], indexedPart(index, b[1]), b[0]);
}

function remember(node: DataNode, index: Index, entries: readonly Entry[]): readonly Entry[] {
  const byIndex = sortedByNode.get(node) ?? new Map<string, readonly Entry[]>();
  byIndex.set(indexName(index), entries);
  sortedByNode.set(node, byIndex);
  return entries;
}

/** A leaf or nothing, as the indexed part of a bound. */
export function boundPart(value: Leaf | null): DataNode {
  return value === null ? EMPTY : leafNode(value);
}
