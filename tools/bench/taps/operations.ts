import { all, fieldsOf, first } from './protobuf.ts';

/** What Firestore was asked to do, in the operations that it bills (https://firebase.google.com/docs/firestore/pricing). */
export interface Operations {
  /** Documents that were read by their names, missing ones too. */
  gets: number;
  /** Documents that queries delivered, by collection. */
  queried: Record<string, number>;
  /** Queries that delivered nothing: billed as one read each. */
  emptyQueries: number;
  /** Aggregations: one read for up to 1,000 index entries; here they never look at more. */
  aggregations: number;
  writes: number;
  deletes: number;
  /** Documents that were created where a time-to-live deletes them later: one delete each. */
  expiring: number;
  /** Commits that were refused: a lost race, usually. Their writes are counted all the same. */
  refused: number;
  /** Requests by method: round trips. */
  requests: Record<string, number>;
}

/** Nothing yet. */
export function noOperations(): Operations {
  return { gets: 0, queried: {}, emptyQueries: 0, aggregations: 0, writes: 0, deletes: 0, expiring: 0, refused: 0, requests: {} };
}

/** Adds up. */
export function plus(one: Operations, other: Operations): Operations {
  const merged = (key: 'queried' | 'requests'): Record<string, number> => Object.fromEntries([...new Set([...Object.keys(one[key]), ...Object.keys(other[key])])].map((name) => [name, (one[key][name] ?? 0) + (other[key][name] ?? 0)]));
  return {
    gets: one.gets + other.gets,
    queried: merged('queried'),
    emptyQueries: one.emptyQueries + other.emptyQueries,
    aggregations: one.aggregations + other.aggregations,
    writes: one.writes + other.writes,
    deletes: one.deletes + other.deletes,
    expiring: one.expiring + other.expiring,
    refused: one.refused + other.refused,
    requests: merged('requests'),
  };
}

/** Documents that queries delivered. */
export function queriedIn({ queried }: Operations): number {
  return Object.values(queried).reduce((sum, count) => sum + count, 0);
}

/** Reads that are billed. */
export function readsIn(operations: Operations): number {
  return operations.gets + queriedIn(operations) + operations.emptyQueries + operations.aggregations;
}

/** Everything that is billed, deletes by time-to-live included. */
export function billedIn(operations: Operations): number {
  return readsIn(operations) + operations.writes + operations.deletes + operations.expiring;
}

/** Requests to the database. */
export function requestsIn({ requests }: Operations): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

/** One request, as it goes by: its messages, then how it ended. */
export interface Observer {
  request: (message: Buffer) => void;
  response: (message: Buffer) => void;
  /** @param status gRPC status, 0 for success. */
  end: (status: number) => void;
}

// Field numbers of https://github.com/googleapis/googleapis/blob/master/google/firestore/v1/firestore.proto and write.proto.
const getDocuments = 2;
const commitWrites = 2;
const write = { update: 1, delete: 2 };
const documentName = 1;
const query = { structured: 2, from: 2, collection: 2, found: 1 };

/** Counts one request to Firestore into `operations`. `expiringCollections` have a time-to-live. */
export function observe(method: string, operations: Operations, expiringCollections: ReadonlySet<string>): Observer {
  operations.requests[method] = (operations.requests[method] ?? 0) + 1;
  const ignore = (): void => undefined;
  switch (method) {
    case 'BatchGetDocuments':
      return { request: (message) => void (operations.gets += all(message, getDocuments).length), response: ignore, end: ignore };
    case 'Commit':
    case 'BatchWrite':
      return { request: (message) => countWrites(all(message, commitWrites), operations, expiringCollections), response: ignore, end: (status) => void (status !== 0 && operations.refused++) };
    case 'RunQuery':
      return observeQuery(operations);
    case 'RunAggregationQuery':
      operations.aggregations++;
      return { request: ignore, response: ignore, end: ignore };
    case 'BeginTransaction':
    case 'Rollback':
      return { request: ignore, response: ignore, end: ignore };
    default:
      // Better no figure than one that leaves something out.
      throw new Error(`the benchmarks do not know what ${method} costs`);
  }
}

function countWrites(writes: Buffer[], operations: Operations, expiringCollections: ReadonlySet<string>): void {
  for (const message of writes) {
    const document = first(message, write.update);
    if (first(message, write.delete)) operations.deletes++;
    else operations.writes++;
    if (document && isCreated(message) && expiringCollections.has(collectionOf(first(document, documentName)!.toString()))) operations.expiring++;
  }
}

/** Whether a write demands that the document does not exist, or says nothing of it and sets the whole of it. */
function isCreated(message: Buffer): boolean {
  const mask = 3;
  const precondition = 4;
  const exists = 1;
  const demanded = first(message, precondition);
  if (demanded) return [...fieldsOf(demanded)].some(({ number, value }) => number === exists && value === 0);
  return first(message, mask) === null;
}

function collectionOf(name: string): string {
  return name.split('/').at(-2) ?? '';
}

function observeQuery(operations: Operations): Observer {
  let collection = '';
  let found = 0;
  return {
    request: (message) => {
      const from = first(first(message, query.structured) ?? Buffer.alloc(0), query.from);
      collection = first(from ?? Buffer.alloc(0), query.collection)?.toString() ?? '';
    },
    response: (message) => void (first(message, query.found) && found++),
    end: () => {
      if (found === 0) operations.emptyQueries++;
      else operations.queried[collection] = (operations.queried[collection] ?? 0) + found;
    },
  };
}
