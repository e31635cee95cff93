/**
 * The data: an immutable tree whose versions share every part that did not change. Two versions of
 * a place can therefore be compared by identity, which is what listeners and triggers rely on.
 */

import type { Path } from './path.ts';
import { VersionedMap } from './versioned-map.ts';

/** A value without children. */
export type Leaf = string | number | boolean;

/** What a node may be ordered by besides its key and its value. */
export type Priority = string | number | null;

/** What JSON can express. */
export type Json = Leaf | null | Json[] | { [key: string]: Json };

/** One place in the tree: a leaf, a set of children, or nothing at all. */
export class DataNode {
  readonly value: Leaf | null;
  readonly priority: Priority;
  readonly children: VersionedMap<DataNode>;
  /** Filled in by hash.ts when somebody asks for it. */
  hash: string | undefined;

  constructor(value: Leaf | null, priority: Priority, children: VersionedMap<DataNode>) {
    this.value = value;
    this.priority = priority;
    this.children = children;
    this.hash = undefined;
  }

  /** True where there is no data. */
  get isEmpty(): boolean {
    return this.value === null && this.children.size === 0;
  }
}

const NO_CHILDREN: VersionedMap<DataNode> = new VersionedMap(new Map<string, DataNode>());

/** The node of every place that holds nothing. */
export const EMPTY = new DataNode(null, null, NO_CHILDREN);

/** Makes a node with a value. */
export function leafNode(value: Leaf, priority: Priority = null): DataNode {
  return new DataNode(value, priority, NO_CHILDREN);
}

/** Makes a node with children, none of which may be empty. The map belongs to it from now on. */
export function branchNode(children: Map<string, DataNode>, priority: Priority = null): DataNode {
  return children.size === 0 ? EMPTY : new DataNode(null, priority, new VersionedMap(children));
}

/** The node at a location below `node`. */
export function nodeAt(node: DataNode, path: Path): DataNode {
  let current = node;
  for (const key of path) {
    const child = current.children.get(key);
    if (child === undefined) return EMPTY;
    current = child;
  }
  return current;
}

/** The tree with the node at `path` replaced. Branches that lose their last child disappear. */
export function replaceAt(node: DataNode, path: Path, replacement: DataNode, depth = 0): DataNode {
  const key = path[depth];
  if (key === undefined) return replacement;
  const before = node.children.get(key) ?? EMPTY;
  const after = replaceAt(before, path, replacement, depth + 1);
  if (after === before) return node;
  const children = node.children.with(key, after.isEmpty ? undefined : after);
  return children.size === 0 ? EMPTY : new DataNode(null, node.priority, children);
}

/** The same node with another priority. */
export function withPriority(node: DataNode, priority: Priority): DataNode {
  if (node.isEmpty || node.priority === priority) return node;
  return new DataNode(node.value, priority, node.children);
}

/** `after`, built as far as possible from the parts of `before`; `before` itself when they are equal. */
export function shareParts(before: DataNode, after: DataNode): DataNode {
  if (before === after || after.isEmpty) return after.isEmpty ? EMPTY : after;
  if (after.children.size === 0) {
    return before.value === after.value && before.priority === after.priority ? before : after;
  }
  let same = before.priority === after.priority && before.children.size === after.children.size;
  const children = new Map<string, DataNode>();
  for (const [key, child] of after.children) {
    const old = before.children.get(key);
    const shared = old === undefined ? child : shareParts(old, child);
    if (shared !== old) same = false;
    children.set(key, shared);
  }
  return same ? before : branchNode(children, after.priority);
}

/** How a node is written as JSON. */
export interface JsonStyle {
  /** Include `.priority` and `.value`. */
  export?: boolean;
  /** Write branches whose keys are mostly the integers from 0 on as arrays. */
  arrays?: boolean;
}

/** The JSON value of a node. */
export function toJson(node: DataNode, style: JsonStyle = {}): Json {
  const priority = style.export === true ? node.priority : null;
  if (node.children.size === 0) {
    return priority === null ? node.value : { '.value': node.value, '.priority': priority };
  }
  if (style.arrays === true && priority === null && looksLikeArray(node)) return toArray(node, style);
  const result: Record<string, Json> = {};
  for (const [key, child] of node.children) setOwn(result, key, toJson(child, style));
  if (priority !== null) result['.priority'] = priority;
  return result;
}

const ARRAY_INDEX = /^(0|[1-9]\d{0,8})$/;

function looksLikeArray(node: DataNode): boolean {
  let highest = 0;
  for (const key of node.children.keys()) {
    if (!ARRAY_INDEX.test(key)) return false;
    highest = Math.max(highest, Number(key));
  }
  return highest < 2 * node.children.size;
}

function toArray(node: DataNode, style: JsonStyle): Json[] {
  const result: Json[] = [];
  for (const [key, child] of node.children) result[Number(key)] = toJson(child, style);
  return Array.from(result, (item: Json | undefined) => item ?? null);
}

/** Sets a property by that very name, `__proto__` included. */
export function setOwn(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
