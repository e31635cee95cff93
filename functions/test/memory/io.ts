/** One request to a database as a simulator sees it. */
export interface Io {
  store: 'firestore' | 'database';
  kind: 'get' | 'query' | 'commit' | 'set' | 'update' | 'remove' | 'transaction' | 'listen';
  /** What it reads or writes: documents, the collection of a query, nodes. */
  paths: string[];
  writes: boolean;
}

/**
 * Decides when, and whether, a request reaches the database. `apply` is synchronous and atomic. A gate that never
 * resolves is a crash, one that rejects after `apply` a lost acknowledgement.
 */
export type Gate = <T>(io: Io, apply: () => T) => Promise<T>;

/** The default: every request reaches the database at once. */
// eslint-disable-next-line @typescript-eslint/require-await -- async turns what apply throws into a rejection
export const openGate: Gate = async (_io, apply) => apply();
