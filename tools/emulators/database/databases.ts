/** All the databases that one server holds. They come into being when somebody first names them. */

import { Namespace } from './namespace.ts';
import { Triggers, type FunctionsAddress } from './triggers.ts';

/** The databases by name, and the triggers that watch them. */
export class Databases {
  readonly triggers: Triggers;
  readonly #byName = new Map<string, Namespace>();

  constructor(functions: FunctionsAddress | null) {
    this.triggers = new Triggers(functions);
  }

  /** The database of that name. */
  get(name: string): Namespace {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const created = new Namespace(name, (commit) => { this.triggers.fire(commit); });
    this.#byName.set(name, created);
    return created;
  }

  /** The names of the databases that have been used. */
  names(): string[] {
    return [...this.#byName.keys()];
  }
}
