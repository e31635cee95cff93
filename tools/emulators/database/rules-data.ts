/**
 * The data in the shape in which targaryen's rules look at it. It reads straight from the tree, so
 * evaluating a rule costs only the places that the rule touches, however large the database is.
 */

import type { RulesDatabase } from 'targaryen';
import { splitPath, type Path } from './path.ts';
import { EMPTY, nodeAt, type DataNode, type Leaf } from './tree.ts';

const branchValues = new WeakMap<DataNode, object>();

/** What `val()` gives for a branch: a plain object that is the same one for as long as the data is. */
function branchValue(node: DataNode): object {
  const known = branchValues.get(node) ?? {};
  branchValues.set(node, known);
  return known;
}

/** `data`, `newData` and `root` in a rule. The methods are those of the rules language. */
class RuleDataSnapshot {
  readonly #root: DataNode;
  readonly #path: Path;

  constructor(root: DataNode, path: Path) {
    this.#root = root;
    this.#path = path;
  }

  get #node(): DataNode {
    return nodeAt(this.#root, this.#path);
  }

  val(): Leaf | null | object {
    const node = this.#node;
    return node.children.size > 0 ? branchValue(node) : node.value;
  }

  getPriority(): string | number | null {
    return this.#node.priority;
  }

  exists(): boolean {
    return !this.#node.isEmpty;
  }

  child(path: unknown): RuleDataSnapshot {
    if (typeof path !== 'string') throw new Error(`${String(path)} should be a string.`);
    return path === '' ? new RuleDataSnapshot(EMPTY, []) : new RuleDataSnapshot(this.#root, [...this.#path, ...splitPath(path)]);
  }

  parent(): RuleDataSnapshot {
    if (this.#path.length === 0) throw new Error('The root has no parent.');
    return new RuleDataSnapshot(this.#root, this.#path.slice(0, -1));
  }

  hasChild(path: unknown): boolean {
    return this.child(path).exists();
  }

  hasChildren(paths?: unknown[]): boolean {
    if (paths === undefined) return this.#node.children.size > 0;
    if (paths.length === 0) throw new Error('hasChildren() requires a non-empty array.');
    return paths.every((path) => this.hasChild(path));
  }

  isNumber(): boolean {
    return typeof this.#node.value === 'number';
  }

  isString(): boolean {
    return typeof this.#node.value === 'string';
  }

  isBoolean(): boolean {
    return typeof this.#node.value === 'boolean';
  }

  toString(): string {
    return this.#path.join('/');
  }

  /** Visits everything below, going no deeper where the visitor returns true. */
  walk(visit: (snapshot: RuleDataSnapshot) => boolean): void {
    for (const key of this.#node.children.keys()) {
      const child = new RuleDataSnapshot(this.#root, [...this.#path, key]);
      if (!visit(child)) child.walk(visit);
    }
  }
}

/** Presents one state of the data to the rules, as seen by one user at one time. */
export function rulesDatabase(root: DataNode, auth: unknown, now: number): RulesDatabase {
  const snapshot = (path: string): RuleDataSnapshot => new RuleDataSnapshot(root, splitPath(path));
  return { auth, debug: false, timestamp: now, snapshot, walk: (path, visit) => { snapshot(path).walk(visit); } };
}
