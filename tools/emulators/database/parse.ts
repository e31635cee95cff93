/** Turns JSON from a client into nodes: checks it, drops what is null and fills in server values. */

import { DataError } from './errors.ts';
import { assertDepth, assertKey } from './path.ts';
import { branchNode, EMPTY, leafNode, type DataNode, type Leaf, type Priority } from './tree.ts';

const MAX_STRING_BYTES = 10 * 1024 * 1024;

/** What the meaning of the JSON depends on. */
export interface ParseContext {
  /** The time that `{".sv": "timestamp"}` stands for. */
  now: number;
  /** What the location holds now, for `{".sv": {"increment": n}}`. */
  existing: DataNode;
  /** How deep the location lies. */
  depth: number;
}

/** Reads a value as it arrives from a client, which may use `.value`, `.priority` and `.sv`. */
export function parseNode(json: unknown, context: ParseContext): DataNode {
  if (json === null || json === undefined) return EMPTY;
  if (typeof json !== 'object') return leafNode(parseLeaf(json));
  if (Array.isArray(json)) return parseChildren(json.map((item, index) => [String(index), item]), null, context);

  const object = json as Record<string, unknown>;
  if ('.sv' in object) return leafNode(parseServerValue(object['.sv'], context), parsePriority(object['.priority'], context));
  const priority = parsePriority(object['.priority'], context);
  const entries = Object.entries(object).filter(([key]) => key !== '.priority' && key !== '.value');
  if (object['.value'] !== undefined && object['.value'] !== null) {
    if (entries.length > 0) throw new DataError('Invalid data: ".value" cannot stand beside other children');
    const inner = parseNode(object['.value'], context);
    if (inner.value === null) throw new DataError('Invalid data: ".value" must be a string, a number or a boolean');
    return leafNode(inner.value, priority);
  }
  return parseChildren(entries, priority, context);
}

function parseChildren(entries: [string, unknown][], priority: Priority, context: ParseContext): DataNode {
  const children = new Map<string, DataNode>();
  for (const [key, value] of entries) {
    assertKey(key);
    if (value === null || value === undefined) continue;
    assertDepth(context.depth + 1);
    const existing = context.existing.children.get(key) ?? EMPTY;
    const child = parseNode(value, { now: context.now, existing, depth: context.depth + 1 });
    if (!child.isEmpty) children.set(key, child);
  }
  return branchNode(children, priority);
}

function parseLeaf(value: unknown): Leaf {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') {
    if (value.length > MAX_STRING_BYTES / 3 && Buffer.byteLength(value) > MAX_STRING_BYTES) {
      throw new DataError('Invalid data: strings are limited to 10 MB');
    }
    return value;
  }
  throw new DataError('Invalid data: values must be strings, finite numbers, booleans, objects, arrays or null');
}

/** Reads a priority, which may be a server value too. */
export function parsePriority(json: unknown, context: ParseContext): Priority {
  if (json === null || json === undefined) return null;
  if (typeof json === 'string' || (typeof json === 'number' && Number.isFinite(json))) return json;
  if (typeof json === 'object' && '.sv' in json) {
    const existing = context.existing.priority === null ? EMPTY : leafNode(context.existing.priority);
    return parseServerValue(json['.sv'], { ...context, existing });
  }
  throw new DataError('Invalid data: a priority must be a string, a number or null');
}

function parseServerValue(operation: unknown, context: ParseContext): number {
  if (operation === 'timestamp') return context.now;
  if (typeof operation === 'object' && operation !== null && 'increment' in operation) {
    const delta = operation.increment;
    if (typeof delta === 'number' && Number.isFinite(delta)) {
      const current = context.existing.value;
      return typeof current === 'number' ? current + delta : delta;
    }
  }
  throw new DataError(`Invalid data: unknown server value ${JSON.stringify(operation)}`);
}
