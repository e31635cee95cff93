import { PassThrough } from 'node:stream';
import { Firestore, type DocumentData, type DocumentSnapshot } from 'firebase-admin/firestore';
import { FirestoreData, type DocumentChange } from './firestore-data.ts';
import { targetOf } from './firestore-preconditions.ts';
import type { ProtoDocument, ProtoTime, ReadRequest, Write } from './firestore-protos.ts';
import { aggregate, runQuery } from './firestore-query.ts';
import { openGate, type Gate, type Io } from './io.ts';
import { RpcError } from './rpc-error.ts';

/** What a commit did to one document: its data, and snapshots for triggers that take one. */
export interface Change {
  path: string;
  before: DocumentData | undefined;
  after: DocumentData | undefined;
  snapshots: { before: DocumentSnapshot; after: DocumentSnapshot };
}

/** What a memory Firestore is made of. `data` shares the documents of another one: a second process on the same database. */
export interface FirestoreOptions { gate?: Gate; now?: () => number; data?: FirestoreData }

/**
 * The Admin SDK's own Firestore with documents in memory instead of a connection: references, queries, batches,
 * checks of arguments and conversions are the real ones; only the two methods that send a request are replaced.
 */
export class MemoryFirestore extends Firestore {
  readonly data: FirestoreData;
  readonly #gate: Gate;

  constructor({ gate = openGate, now = Date.now, data = new FirestoreData(now) }: FirestoreOptions = {}) {
    super({ projectId: 'memory', ignoreUndefinedProperties: true });
    this.#gate = gate;
    this.data = data;
  }

  /** Settings are what runtime/firebase.ts chooses, from the start. */
  override settings(): void {}

  /** Calls the listener after every commit with the documents that it changed. */
  onCommit(listener: (changes: Change[]) => void): void {
    this.data.onCommit((changes) => { listener(changes.map((change) => this.#decoded(change))); });
  }

  /** A document as it is now, past the gate. */
  snapshotAt(path: string): DocumentSnapshot {
    const name = this.#nameOf(path);
    return this.#snapshot(name, this.data.documents.get(name));
  }

  /** All documents by path, past the gate; those of one collection (with what lies below) when its path is given. */
  dump(collection?: string): Record<string, DocumentData> {
    const prefix = collection === undefined ? this.#nameOf('') : `${this.#nameOf(collection)}/`;
    const found = [...this.data.documents.values()].filter(({ name }) => name.startsWith(prefix));
    return Object.fromEntries(found.map((document) => [this.#pathOf(document.name), this.#snapshot(document.name, document).data()!]));
  }

  /** Called by the SDK for every commit. */
  async request(method: string, { writes }: { writes: Write[] }): Promise<unknown> {
    if (method !== 'commit') throw new RpcError(12, 'UNIMPLEMENTED', method);
    return this.#gate(this.#io('commit', writes.map(targetOf)), () => this.data.commit(writes));
  }

  /** Called by the SDK for every read. */
  async requestStream(method: string, _bidirectional: boolean, request: object): Promise<PassThrough> {
    const answers = await this.#read(method, request);
    const stream = new PassThrough({ objectMode: true });
    for (const answer of answers) stream.write(answer);
    return stream.end();
  }

  #read(method: string, request: object): Promise<object[]> {
    switch (method) {
      case 'batchGetDocuments': return this.#get((request as { documents: string[] }).documents);
      case 'runQuery':
      case 'runAggregationQuery': return this.#query(request as ReadRequest);
      default: throw new RpcError(12, 'UNIMPLEMENTED', method);
    }
  }

  #get(names: string[]): Promise<object[]> {
    return this.#gate(this.#io('get', names), () => {
      const readTime = this.data.readTime();
      return names.map((name) => {
        const found = this.data.documents.get(name);
        return found ? { found, readTime } : { missing: name, readTime };
      });
    });
  }

  #query({ parent, structuredQuery, structuredAggregationQuery: aggregated }: ReadRequest): Promise<object[]> {
    const query = (structuredQuery ?? aggregated?.structuredQuery)!;
    return this.#gate(this.#io('query', [`${parent}/${query.from[0]?.collectionId ?? ''}`]), () => {
      const readTime = this.data.readTime();
      const found = runQuery(this.data.documents.values(), parent, query);
      if (aggregated) return [{ result: { aggregateFields: aggregate(found, aggregated.aggregations) }, readTime }];
      return [{ readTime }, ...found.map((document) => ({ document, readTime }))];
    });
  }

  #io(kind: Io['kind'], names: string[]): Io {
    return { store: 'firestore', kind, paths: names.map((name) => this.#pathOf(name)), writes: kind === 'commit' };
  }

  #decoded({ name, before, after }: DocumentChange): Change {
    const snapshots = { before: this.#snapshot(name, before), after: this.#snapshot(name, after) };
    return { path: this.#pathOf(name), before: snapshots.before.data(), after: snapshots.after.data(), snapshots };
  }

  #snapshot(name: string, document: ProtoDocument | undefined): DocumentSnapshot {
    return (this as unknown as SdkFirestore).snapshot_(document ?? name, this.data.readTime());
  }

  #nameOf(path: string): string {
    return `projects/memory/databases/(default)/documents/${path}`;
  }

  #pathOf(name: string): string {
    return name.slice(this.#nameOf('').length);
  }
}

/** The part of the SDK that is not in its types: it builds snapshots from what the server answers. */
interface SdkFirestore { snapshot_(document: ProtoDocument | string, readTime: ProtoTime): DocumentSnapshot }

/** Makes a Firestore in memory. */
export function createMemoryFirestore(options: FirestoreOptions = {}): MemoryFirestore {
  return new MemoryFirestore(options);
}
