/** Security rules: reading them, and asking them whether an operation may go ahead. */

import targaryen, { type Ruleset } from 'targaryen';
import { Coverage } from './coverage.ts';
import { DataError, messageOf } from './errors.ts';
import type { Path } from './path.ts';
import { indexName } from './order.ts';
import { queryForRules, type Query } from './query.ts';
import { parseRulesJson } from './rules-json.ts';
import { rulesDatabase } from './rules-data.ts';
import type { DataNode } from './tree.ts';

/** Who asks: the value of `auth` in rules, or somebody to whom no rule applies. */
export interface Identity {
  admin: boolean;
  auth: Record<string, unknown> | null;
}

/** The rules of one database. */
export class Rules {
  /** The text that the rules were read from. */
  readonly source: string;
  readonly #definition: Record<string, unknown>;
  readonly #ruleset: Ruleset;
  /** What their expressions have been since they came into force. */
  readonly coverage: Coverage;

  /** Reads rules, or throws a DataError that says what is wrong with them. */
  constructor(source: string) {
    this.source = source;
    const parsed = refuse(() => parseRulesJson(source)) as { rules: Record<string, unknown> };
    this.#ruleset = refuse(() => targaryen.ruleset(parsed), () => blame(parsed.rules, []));
    this.#definition = parsed.rules;
    this.coverage = new Coverage(source, this.#ruleset.root);
    hideMembers(this.#ruleset.root);
  }

  /** The rules as plain JSON. */
  get json(): string {
    return JSON.stringify({ rules: this.#definition });
  }

  /** May this reader see the location, or the part of it that the query selects? */
  allowsRead(who: Identity, path: Path, query: Query | null, root: DataNode, now: number): boolean {
    if (who.admin) return true;
    const data = rulesDatabase(root, who.auth, now);
    return this.#ruleset.tryRead(path.join('/'), data, { now, query: queryForRules(query) }).allowed;
  }

  /** May this writer turn `before` into `after`? Every one of the written paths has to be allowed. */
  allowsWrite(who: Identity, paths: readonly Path[], before: DataNode, after: DataNode, now: number): boolean {
    if (who.admin) return true;
    const data = rulesDatabase(before, who.auth, now);
    const newData = rulesDatabase(after, who.auth, now);
    return paths.every((path) => this.#ruleset.tryWrite(path.join('/'), data, newData, null).allowed);
  }

  /** Is there an `.indexOn` for the query? Keys and priorities need none. */
  hasIndex(path: Path, query: Query): boolean {
    if (query.index.kind === 'key' || query.index.kind === 'priority') return true;
    const declared = this.#ruleAt(path)?.['.indexOn'];
    const wanted = indexName(query.index);
    return declared === wanted || (Array.isArray(declared) && declared.includes(wanted));
  }

  #ruleAt(path: Path): Record<string, unknown> | undefined {
    let rule: unknown = this.#definition;
    for (const key of path) {
      if (!isObject(rule)) return undefined;
      const wildcard = Object.keys(rule).find((name) => name.startsWith('$'));
      rule = Object.hasOwn(rule, key) ? rule[key] : wildcard === undefined ? undefined : rule[wildcard];
    }
    return isObject(rule) ? rule : undefined;
  }
}

/** Does what may fail because the rules are wrong; the second function says where, if it can. */
function refuse<T>(step: () => T, where: () => string | null = () => null): T {
  try {
    return step();
  } catch (error) {
    throw new DataError(where() ?? messageOf(error), { cause: error });
  }
}

/** Finds the expression that is to blame by trying each by itself, since the parser names only the expression. */
function blame(rule: unknown, path: Path): string | null {
  if (!isObject(rule)) return null;
  for (const [key, value] of Object.entries(rule)) {
    const here = [...path, key];
    if (!key.startsWith('.')) {
      const found = blame(value, here);
      if (found !== null) return found;
    } else if (typeof value === 'string' && key !== '.indexOn') {
      const alone = here.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      try {
        targaryen.ruleset({ rules: alone });
      } catch (error) {
        return `/${here.join('/')}: ${messageOf(error)}`;
      }
    }
  }
  return null;
}

/**
 * Rules are looked up as members of objects. Data may be called `constructor` or `toString` like
 * anything else, and must not find what those objects inherit under such names.
 */
function hideMembers(rule: object): void {
  const inherited = Object.getPrototypeOf(rule) as object;
  Reflect.deleteProperty(inherited, 'constructor');
  Object.setPrototypeOf(inherited, null);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The rules of a database that has been given none: closed to everybody but administrators. */
export const CLOSED_RULES = '{"rules": {".read": false, ".write": false}}';
