/** What a version has in place of an entry of the next one; undefined: it has no such entry. */
interface Difference<Value> {
  key: string;
  value: Value | undefined;
  next: VersionedMap<Value>;
}

/**
 * A map that is never changed, and of which the next version costs the same however many entries there are: one version holds
 * the entries, mostly the newest, and every other one only its difference from the version next to it.
 */
export class VersionedMap<Value> {
  readonly size: number;
  #held: Map<string, Value> | Difference<Value>;

  /** The first version; the entries belong to it from now on. */
  constructor(entries: Map<string, Value>) {
    this.size = entries.size;
    this.#held = entries;
  }

  /** What stands under the key, if anything. */
  get(key: string): Value | undefined {
    let held = this.#held;
    while (!(held instanceof Map)) {
      if (held.key === key) return held.value;
      held = held.next.#held;
    }
    return held.get(key);
  }

  /** Whether anything stands under the key. */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The next version, with one entry set, or without it when there is no value. */
  with(key: string, value: Value | undefined): VersionedMap<Value> {
    // The empty map is shared by everybody, so that nobody's entries may come to depend on it.
    const entries = this.size === 0 ? new Map<string, Value>() : this.#hold();
    const previous = entries.get(key);
    put(entries, key, value);
    const next = new VersionedMap(entries);
    if (this.size > 0) this.#held = { key, value: previous, next };
    return next;
  }

  /** All keys, in no particular order. */
  keys(): IterableIterator<string> {
    return [...this.#hold().keys()].values();
  }

  /** All entries, in no particular order. A copy: the entries themselves go on to the next version. */
  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return [...this.#hold()].values();
  }

  /** The entries, fetched from the version that holds them; those in between then differ from this one instead. */
  #hold(): Map<string, Value> {
    const differences: Difference<Value>[] = [];
    let held = this.#held;
    while (!(held instanceof Map)) {
      differences.push(held);
      held = held.next.#held;
    }
    for (let index = differences.length - 1; index >= 0; index--) {
      const { key, value, next } = differences[index]!;
      const version = differences[index - 1]?.next ?? this;
      next.#held = { key, value: held.get(key), next: version };
      put(held, key, value);
      version.#held = held;
    }
    return held;
  }
}

function put<Value>(entries: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) entries.delete(key);
  else entries.set(key, value);
}
