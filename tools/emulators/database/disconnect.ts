/** The writes that a client leaves with the server for the moment when its connection ends. */

import { contains, formatPath, splitPath } from './path.ts';
import type { Namespace } from './namespace.ts';
import type { Identity } from './rules.ts';

interface Pending {
  who: Identity;
  /** True for an update, which takes effect as a whole. */
  merge: boolean;
  /** New JSON by path. */
  writes: Map<string, unknown>;
}

/** The pending writes of one connection. */
export class DisconnectQueue {
  #pending: Pending[] = [];

  /** Remembers to replace the data at a path. */
  set(who: Identity, path: string, json: unknown): void {
    this.cancel(path);
    this.#pending.push({ who, merge: false, writes: new Map([[path, json]]) });
  }

  /** Remembers to update several paths. */
  update(who: Identity, writes: ReadonlyMap<string, unknown>): void {
    for (const path of writes.keys()) this.cancel(path);
    this.#pending.push({ who, merge: true, writes: new Map(writes) });
  }

  /** Forgets what was to happen at a path and below. */
  cancel(path: string): void {
    const top = splitPath(path);
    for (const { writes } of this.#pending) {
      for (const other of [...writes.keys()]) {
        if (contains(top, splitPath(other))) writes.delete(other);
      }
    }
    this.#pending = this.#pending.filter(({ writes }) => writes.size > 0);
  }

  /** Carries everything out, each write with the permissions of the one who asked for it. */
  run(database: Namespace): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { who, merge, writes } of pending) {
      try {
        if (merge) database.update(who, '', Object.fromEntries(writes));
        else for (const [path, json] of writes) database.set(who, path, json);
      } catch (error) {
        // Nobody is left to be told: the client is gone, and the other writes must still happen.
        console.warn(`onDisconnect at ${[...writes.keys()].map((path) => formatPath(splitPath(path))).join(', ')}: ${String(error)}`);
      }
    }
  }
}
