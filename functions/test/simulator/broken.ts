/** A broken rule of the product (DESIGN section 5, or who may be a member of what). */
export class Broken extends Error {}

/** Ends a history. @throws Broken always. */
export function broken(rule: string, what: string): never {
  throw new Broken(`${rule}: ${what}`);
}

/** Entries in the order of their keys: the databases keep them in orders of their own. */
export function sorted<T>(values: Record<string, T>): [string, T][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether two values are the same as JSON. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
