import { deleteApp, getApps, initializeApp } from 'firebase-admin/app';
import { getDatabaseWithUrl, type Database } from 'firebase-admin/database';
import { Namespace } from '../../../tools/emulators/database/namespace.ts';
import { parsePath } from '../../../tools/emulators/database/path.ts';
import { nodeAt, toJson } from '../../../tools/emulators/database/tree.ts';
import { Connection, type OnDataUpdate } from './database-connection.ts';
import { openGate, type Gate } from './io.ts';
import { withoutTimers } from './timers.ts';

/** What a memory database is made of. `data` shares the data of another one: a second process on the same database. */
export interface DatabaseOptions { gate?: Gate; deliver?: (callback: () => void) => void; data?: Namespace }

/** A Realtime Database in memory. */
export interface MemoryDatabase extends Database {
  readonly data: Namespace;
  /** The JSON at a path, past the gate; null when there is nothing. */
  dump(path?: string): unknown;
  /** Ends its connection: nothing is listened to any more. Its SDK does not notice. */
  disconnect(): void;
  /** Ends the process: the connection, and its SDK is let go. */
  close(): Promise<void>;
}

/** What of the SDK is not in its types: the connection of a database, and that it can be told not to open one. */
interface Sdk {
  _delegate: {
    _repoInternal: { forceRestClient_: boolean };
    /** Starts on first use. */
    readonly _repo: { server_: { onDataUpdate_: OnDataUpdate } | Connection };
  };
}

let count = 0;

/**
 * Makes the Admin SDK's own Realtime Database on data in memory: references, snapshots, caches, transactions and checks
 * of arguments are the real ones; only its connection is replaced. One object stands for one process, since the SDK
 * shows a process its own unanswered writes and keeps transactions on one place in line: make one for each process,
 * with the same `data`.
 */
export function createMemoryDatabase({ gate = openGate, deliver = queueMicrotask, data = new Namespace('memory', () => undefined) }: DatabaseOptions = {}): MemoryDatabase {
  const app = initializeApp({ projectId: 'memory' }, `memory-${++count}`);
  const database = getDatabaseWithUrl('http://memory.invalid?ns=memory', app);
  const { _delegate: sdk } = database as unknown as Sdk;
  sdk._repoInternal.forceRestClient_ = true;
  const connection = connect(sdk, { data, gate, deliver });
  return Object.assign(database, {
    data,
    dump: (path = '') => toJson(nodeAt(data.root, parsePath(path)), { arrays: true }),
    disconnect: () => connection.close(),
    close: async () => {
      connection.close();
      if (getApps().includes(app)) await deleteApp(app);
    },
  });
}

function connect(sdk: Sdk['_delegate'], options: { data: Namespace; gate: Gate; deliver: (callback: () => void) => void }): Connection {
  let connection: Connection | undefined;
  withoutTimers(() => {
    const repo = sdk._repo;
    const { onDataUpdate_: onDataUpdate } = repo.server_ as { onDataUpdate_: OnDataUpdate };
    repo.server_ = connection = new Connection({ ...options, onDataUpdate });
  });
  return connection!;
}
