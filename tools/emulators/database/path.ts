/** Locations in the database, as lists of keys. */

import { DataError } from './errors.ts';

/** A location: the keys from the root down. The root is the empty list. */
export type Path = readonly string[];

/** Deepest location that may hold a value. */
export const MAX_DEPTH = 32;

const MAX_KEY_BYTES = 768;
const FORBIDDEN_IN_KEY = /[.#$[\]/\u0000-\u001f\u007f]/;

/** Splits `/a//b/` into its keys, without judging them. */
export function splitPath(text: string): string[] {
  return text.split('/').filter((key) => key !== '');
}

/** Splits a path and rejects keys that the database cannot hold. */
export function parsePath(text: string): string[] {
  const path = splitPath(text);
  for (const key of path) assertKey(key);
  assertDepth(path.length);
  return path;
}

/** Writes a location the way the wire protocol does: no slash in front, `/` for the root. */
export function formatPath(path: Path): string {
  return path.length === 0 ? '/' : path.join('/');
}

/** Throws unless the key may name a child. */
export function assertKey(key: string): void {
  if (key === '' || FORBIDDEN_IN_KEY.test(key)) {
    throw new DataError(`Invalid key ${JSON.stringify(key)}: keys must be non-empty strings and can't contain ".", "#", "$", "/", "[" or "]"`);
  }
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new DataError(`Invalid key ${JSON.stringify(`${key.slice(0, 20)}…`)}: keys are limited to ${MAX_KEY_BYTES} bytes`);
  }
}

/** Throws when a value would lie too deep. */
export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new DataError(`Invalid path: it is more than ${MAX_DEPTH} levels deep`);
}

/** Tells whether `ancestor` is `path` or lies above it. */
export function contains(ancestor: Path, path: Path): boolean {
  return ancestor.length <= path.length && ancestor.every((key, index) => key === path[index]);
}
