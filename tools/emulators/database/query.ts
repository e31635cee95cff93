/** Queries: which children of a node a client wants to see, and in which order they count. */

import { DataError } from './errors.ts';
import { assertKey, parsePath } from './path.ts';
import {
  boundPart, comparePosts, firstIndex, indexedPart, indexName, MAX_KEY, MIN_KEY, sortedAgain, sortedChildren,
  type Entry, type Index,
} from './order.ts';
import { branchNode, EMPTY, type DataNode, type Leaf } from './tree.ts';

/** One end of the range of a query. */
export interface Bound {
  value: Leaf | null;
  key?: string;
  inclusive: boolean;
}

/** A query as the server works with it. */
export interface Query {
  index: Index;
  /** True when the client named an order, false when it left that to the server. */
  ordered: boolean;
  start?: Bound;
  end?: Bound;
  limit?: { count: number; from: 'start' | 'end' };
}

/** Reads the query object of the wire protocol; null when it asks for everything. */
export function queryFromWire(raw: unknown): Query | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const object = raw as Record<string, unknown>;
  const query: Query = { index: indexFromWire(object['i']), ordered: object['i'] !== undefined };
  if ('sp' in object) query.start = makeBound(query.index, object['sp'], object['sn'], object['sin'] !== false);
  if ('ep' in object) query.end = makeBound(query.index, object['ep'], object['en'], object['ein'] !== false);
  if (object['l'] !== undefined) query.limit = { count: parseLimit(object['l']), from: object['vf'] === 'l' ? 'start' : 'end' };
  return query.ordered || query.start || query.end || query.limit ? query : null;
}

function indexFromWire(name: unknown): Index {
  return name === undefined ? { kind: 'priority' } : parseIndex(name, '.');
}

/** Reads the name of an index; `mark` is what stands before key, value and priority. */
export function parseIndex(name: unknown, mark: '.' | '$'): Index {
  switch (name) {
    case `${mark}key`: return { kind: 'key' };
    case `${mark}value`: return { kind: 'value' };
    case `${mark}priority`: return { kind: 'priority' };
    default: {
      const path = typeof name === 'string' ? parsePath(name) : [];
      if (path.length === 0) throw new DataError('orderBy must be a valid JSON encoded path');
      return { kind: 'child', path };
    }
  }
}

/** Makes one end of a range, checking that its value can be compared. */
export function makeBound(index: Index, value: unknown, key: unknown, inclusive: boolean): Bound {
  if (value !== null && typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new DataError('Query bounds must be strings, numbers, booleans or null');
  }
  if (index.kind === 'key' && value !== null && typeof value !== 'string') throw new DataError('Key index query bounds must be strings');
  if (typeof key === 'string' && key !== MIN_KEY && key !== MAX_KEY) assertKey(key);
  return typeof key === 'string' ? { value, key, inclusive } : { value, inclusive };
}

/** Reads a limit. */
export function parseLimit(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0) throw new DataError('limit must be a positive integer');
  return value;
}

/** True when the query leaves nothing out, so that any order gives the same data. */
export function takesAll(query: Query): boolean {
  return !query.start && !query.end && !query.limit;
}

/** The children that the query selects, in its order. `before` is an earlier version of the node. */
export function selectEntries(node: DataNode, query: Query, before?: DataNode): readonly Entry[] {
  const entries = before === undefined ? sortedChildren(node, query.index) : sortedAgain(before, node, query.index);
  const { start, end, limit } = query;
  let from = start ? firstIndex(entries, (entry) => isInside(query, start, entry, 1)) : 0;
  let to = end ? firstIndex(entries, (entry) => !isInside(query, end, entry, -1)) : entries.length;
  if (limit && to - from > limit.count) {
    if (limit.from === 'start') to = from + limit.count;
    else from = to - limit.count;
  }
  return entries.slice(from, Math.max(from, to));
}

/** The node as the query shows it. */
export function selectNode(node: DataNode, query: Query | null): DataNode {
  if (query === null || takesAll(query)) return node;
  return node.children.size === 0 ? EMPTY : branchNode(new Map(selectEntries(node, query)));
}

/** Tells whether the entry lies on the inner side of a bound; `side` is 1 for the start, -1 for the end. */
function isInside(query: Query, bound: Bound, [key, node]: Entry, side: 1 | -1): boolean {
  const { index } = query;
  const byKey = index.kind === 'key';
  const outermost = side === 1 ? MIN_KEY : MAX_KEY;
  const boundKey = byKey && bound.value !== null ? String(bound.value) : bound.key ?? outermost;
  const difference = comparePosts(index, indexedPart(index, node), key, boundPart(byKey ? null : bound.value), boundKey) * side;
  return bound.inclusive ? difference >= 0 : difference > 0;
}

/** The query as security rules see it. */
export function queryForRules(query: Query | null): Record<string, unknown> {
  if (query === null) return {};
  const { index, start, end, limit } = query;
  const seen: Record<string, unknown> = {};
  if (query.ordered) {
    if (index.kind === 'child') seen['orderByChild'] = indexName(index);
    else seen[{ key: 'orderByKey', value: 'orderByValue', priority: 'orderByPriority' }[index.kind]] = true;
  }
  if (start && end && start.inclusive && end.inclusive && start.value === end.value && start.key === end.key) {
    seen['equalTo'] = start.value;
  } else {
    if (start) seen['startAt'] = start.value;
    if (end) seen['endAt'] = end.value;
  }
  if (limit) seen[limit.from === 'start' ? 'limitToFirst' : 'limitToLast'] = limit.count;
  return seen;
}
