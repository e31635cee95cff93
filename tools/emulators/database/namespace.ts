/** One database: its data, its rules and its listeners. Every operation is a single step. */

import { DataError, PermissionError, StaleError } from './errors.ts';
import { hashNode } from './hash.ts';
import { ListenerTree, type Listener } from './listeners.ts';
import { parseNode, parsePriority } from './parse.ts';
import { formatPath, parsePath, type Path } from './path.ts';
import { selectNode, type Query } from './query.ts';
import { CLOSED_RULES, Rules, type Identity } from './rules.ts';
import { EMPTY, nodeAt, replaceAt, shareParts, withPriority, type DataNode } from './tree.ts';

/** New JSON for a path, which may end in `.priority`. */
export interface Change {
  path: string;
  json: unknown;
}

/** What a write depends on besides its data. */
export interface WriteOptions {
  /** Refuse the write unless the data has this hash. */
  hash?: string;
  /** Leave the triggers alone. */
  silent?: boolean;
}

/** A step from one state of the data to the next. */
export interface Commit {
  database: string;
  before: DataNode;
  after: DataNode;
  changed: readonly Path[];
  who: Identity;
  now: number;
}

/** One database, identified by its name. */
export class Namespace {
  readonly name: string;
  readonly #onCommit: (commit: Commit) => void;
  readonly #listeners = new ListenerTree();
  #root: DataNode = EMPTY;
  #rules = new Rules(CLOSED_RULES);

  constructor(name: string, onCommit: (commit: Commit) => void) {
    this.name = name;
    this.#onCommit = onCommit;
  }

  /** The rules in force. */
  get rules(): Rules {
    return this.#rules;
  }

  /** The whole of the data as it is now. */
  get root(): DataNode {
    return this.#root;
  }

  /** Puts new rules into force and cancels the listeners that they forbid. */
  setRules(source: string): void {
    this.#rules = new Rules(source);
    this.recheck(this.#listeners.all());
  }

  /** The data at a path, or what the query selects of it. */
  read(who: Identity, path: Path, query: Query | null): DataNode {
    this.#mustAllowRead(who, path, query);
    return selectNode(nodeAt(this.#root, path), query);
  }

  /** Starts a listener and gives the data it starts from. */
  listen(listener: Listener): DataNode {
    const data = this.read(listener.who(), listener.path, listener.query);
    this.#listeners.add(listener);
    return data;
  }

  /** Stops a listener. */
  unlisten(listener: Listener): void {
    this.#listeners.remove(listener);
  }

  /** Cancels those of the listeners that may no longer read what they listen to. */
  recheck(listeners: Iterable<Listener>): void {
    const now = Date.now();
    for (const listener of listeners) this.#keepOrCancel(listener, now);
  }

  /** Replaces the data at a path and gives what is there then. */
  set(who: Identity, path: string, json: unknown, options: WriteOptions = {}): DataNode {
    this.#write(who, [{ path, json }], path, options);
    return path.endsWith('.priority') ? EMPTY : nodeAt(this.#root, parsePath(path));
  }

  /** Replaces the data at several paths below one, all of them or none, and gives the whole as it is then. */
  update(who: Identity, path: string, patch: unknown, options: WriteOptions = {}): DataNode {
    this.#write(who, changesOf(path, patch), path, options);
    return this.#root;
  }

  /** Throws unless the changes could be made now. */
  check(who: Identity, changes: readonly Change[]): void {
    this.#prepare(who, changes, Date.now());
  }

  #write(who: Identity, changes: readonly Change[], path: string, options: WriteOptions): void {
    if (options.hash !== undefined && options.hash !== hashNode(nodeAt(this.#root, parsePath(path)))) throw new StaleError();
    const now = Date.now();
    const { after, changed } = this.#prepare(who, changes, now);
    const before = this.#root;
    if (after === before) return;
    this.#root = after;
    this.#listeners.notify(before, after, changed, (listener, update) => {
      // The very change that is to be told of, or an earlier one elsewhere, may have closed the place to the listener.
      if (this.#keepOrCancel(listener, now)) listener.send(update);
    });
    if (options.silent !== true) this.#onCommit({ database: this.name, before, after, changed, who, now });
  }

  /** The state after the changes, and the paths at which it differs, provided that the rules agree. */
  #prepare(who: Identity, changes: readonly Change[], now: number): { after: DataNode; changed: Path[] } {
    const before = this.#root;
    const writes = changes.map((change) => resolve(before, change, now));
    rejectOverlaps(writes.map(({ path }) => path));
    const after = writes.reduce((root, { path, node }) => replaceAt(root, path, node), before);
    if (!this.#rules.allowsWrite(who, writes.map(({ path }) => path), before, after, now)) throw new PermissionError();
    const changed = writes.filter(({ path, node }) => node !== nodeAt(before, path)).map(({ path }) => path);
    return { after, changed };
  }

  #keepOrCancel(listener: Listener, now: number): boolean {
    const allowed = this.#rules.allowsRead(listener.who(), listener.path, listener.query, this.#root, now);
    if (!allowed) {
      this.#listeners.remove(listener);
      listener.revoke();
    }
    return allowed;
  }

  #mustAllowRead(who: Identity, path: Path, query: Query | null): void {
    if (!this.#rules.allowsRead(who, path, query, this.#root, Date.now())) throw new PermissionError();
  }
}

/** The single changes that an update consists of. */
export function changesOf(path: string, patch: unknown): Change[] {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) throw new DataError('Invalid data; an update needs an object');
  return Object.entries(patch).map(([key, json]: [string, unknown]) => ({ path: `${path}/${key}`, json }));
}

/** Turns a change into the node that it puts at its path, sharing all that stays as it is. */
function resolve(root: DataNode, { path, json }: Change, now: number): { path: Path; node: DataNode } {
  const forPriority = /(^|\/)\.priority\/*$/.test(path);
  const keys = parsePath(forPriority ? path.slice(0, path.lastIndexOf('.priority')) : path);
  const existing = nodeAt(root, keys);
  const context = { now, existing, depth: keys.length };
  const node = forPriority ? withPriority(existing, parsePriority(json, context)) : shareParts(existing, parseNode(json, context));
  return { path: keys, node };
}

/** Throws when one of the paths lies at or above another, which would leave the outcome open. */
function rejectOverlaps(paths: readonly Path[]): void {
  if (paths.length < 2) return;
  const seen = new Set<string>();
  for (const path of [...paths].sort((a, b) => a.length - b.length)) {
    for (let length = 0; length <= path.length; length++) {
      const ancestor = path.slice(0, length);
      if (!seen.has(ancestor.join('/'))) continue;
      throw new DataError(`Invalid data; the path ${formatPath(ancestor)} in the update is an ancestor of ${formatPath(path)}`);
    }
    seen.add(path.join('/'));
  }
}
