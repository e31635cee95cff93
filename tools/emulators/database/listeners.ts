/** Who listens where, and what each listener is told when the data changes. */

import { formatPath, type Path } from './path.ts';
import type { Identity } from './rules.ts';
import { selectEntries, takesAll, type Query } from './query.ts';
import { nodeAt, toJson, type DataNode } from './tree.ts';

/** News for a listener: the new data at a path, or of some of its children. */
export interface Update {
  path: Path;
  merge: boolean;
  /** The data as JSON text with priorities. Written once, however many listeners receive it. */
  json(): string;
}

/** Somebody who wants to hear of changes. */
export interface Listener {
  path: Path;
  query: Query | null;
  who(): Identity;
  send(update: Update): void;
  /** Told once, when the listener has lost its permission; nothing is sent afterwards. */
  revoke(): void;
}

interface Branch {
  listeners: Set<Listener>;
  children: Map<string, Branch>;
}

/** The listeners of one database, by location. */
export class ListenerTree {
  readonly #root: Branch = { listeners: new Set(), children: new Map() };

  /** Starts telling the listener of changes. */
  add(listener: Listener): void {
    let branch = this.#root;
    for (const key of listener.path) {
      const child = branch.children.get(key) ?? { listeners: new Set(), children: new Map() };
      branch.children.set(key, child);
      branch = child;
    }
    branch.listeners.add(listener);
  }

  /** Stops it again. */
  remove(listener: Listener): void {
    removeFrom(this.#root, listener, 0);
  }

  /** Every listener there is. */
  all(): Listener[] {
    const found: Listener[] = [];
    collect(this.#root, (listener) => found.push(listener));
    return found;
  }

  /** Finds out who has to hear what about a step from one state of the data to the next. */
  notify(before: DataNode, after: DataNode, changed: readonly Path[], deliver: (listener: Listener, update: Update) => void): void {
    const updates = new UpdateCache(after);
    for (const [listener, paths] of this.#concerned(before, after, changed)) {
      const update = isFiltered(listener.query)
        ? queryUpdate(listener.path, listener.query, before, after)
        : updates.covering(listener.path, paths);
      if (update !== null) deliver(listener, update);
    }
  }

  /** The listeners above and below the changed paths, each with the paths that it has to hear about. */
  #concerned(before: DataNode, after: DataNode, changed: readonly Path[]): Map<Listener, Path[]> {
    const concerned = new Map<Listener, Path[]>();
    const add = (listener: Listener, path: Path): void => {
      const paths = concerned.get(listener);
      if (paths === undefined) concerned.set(listener, [path]);
      else paths.push(path);
    };
    for (const path of changed) {
      let branch: Branch | undefined = this.#root;
      for (const key of path) {
        for (const listener of branch.listeners) add(listener, path);
        branch = branch.children.get(key);
        if (branch === undefined) break;
      }
      if (branch === undefined) continue;
      collect(branch, (listener) => {
        if (nodeAt(before, listener.path) !== nodeAt(after, listener.path)) add(listener, listener.path);
      });
    }
    return concerned;
  }
}

function isFiltered(query: Query | null): query is Query {
  return query !== null && !takesAll(query);
}

function collect(branch: Branch, visit: (listener: Listener) => void): void {
  branch.listeners.forEach(visit);
  for (const child of branch.children.values()) collect(child, visit);
}

/** Removes the listener and the branches that it alone kept; true when this branch is one of them. */
function removeFrom(branch: Branch, listener: Listener, depth: number): boolean {
  const key = listener.path[depth];
  if (key === undefined) {
    branch.listeners.delete(listener);
  } else {
    const child = branch.children.get(key);
    if (child !== undefined && removeFrom(child, listener, depth + 1)) branch.children.delete(key);
  }
  return branch.listeners.size === 0 && branch.children.size === 0;
}

/** What enters, leaves or changes in the window of a query, as a merge of children. */
function queryUpdate(path: Path, query: Query, before: DataNode, after: DataNode): Update | null {
  const oldNode = nodeAt(before, path);
  const newNode = nodeAt(after, path);
  if (oldNode === newNode) return null;
  const old = new Map(selectEntries(oldNode, query));
  const changes: [string, DataNode | null][] = [];
  for (const [key, node] of selectEntries(newNode, query, oldNode)) {
    if (old.get(key) !== node) changes.push([key, node]);
    old.delete(key);
  }
  for (const key of old.keys()) changes.unshift([key, null]);
  return changes.length === 0 ? null : mergeOf(path, changes, exportText);
}

function exportText(node: DataNode): string {
  return JSON.stringify(toJson(node, { export: true }));
}

function mergeOf(path: Path, changes: [string, DataNode | null][], text: (node: DataNode) => string): Update {
  const json = (): string => {
    const members = changes.map(([key, node]) => `${JSON.stringify(key)}:${node === null ? 'null' : text(node)}`);
    return `{${members.join(',')}}`;
  };
  return { path, merge: true, json };
}

/** The updates that tell of one step, shared by the listeners that need the same ones. */
class UpdateCache {
  readonly #after: DataNode;
  readonly #texts = new Map<DataNode, string>();
  readonly #updates = new Map<string, Update>();

  constructor(after: DataNode) {
    this.#after = after;
  }

  /** One update at `listening` that covers all the changed paths, which lie there or below. */
  covering(listening: Path, changed: readonly Path[]): Update | null {
    const [first] = changed;
    if (first === undefined) return null;
    const single = changed.length === 1;
    const name = `${single} ${formatPath(single ? first : listening)}`;
    const update = this.#updates.get(name) ?? (single ? this.#put(first) : this.#merge(listening, changed));
    this.#updates.set(name, update);
    return update;
  }

  #put(path: Path): Update {
    return { path, merge: false, json: () => this.#text(nodeAt(this.#after, path)) };
  }

  #merge(path: Path, changed: readonly Path[]): Update {
    const changes = changed.map((other): [string, DataNode] => [other.slice(path.length).join('/'), nodeAt(this.#after, other)]);
    return mergeOf(path, changes, (node) => this.#text(node));
  }

  #text(node: DataNode): string {
    const text = this.#texts.get(node) ?? exportText(node);
    this.#texts.set(node, text);
    return text;
  }
}
