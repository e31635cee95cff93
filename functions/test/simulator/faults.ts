import type { Io } from '../memory/io.ts';

/** What can go wrong with one request to a database. `fail` after it was carried out is a lost acknowledgement. */
export type Fault = 'none' | 'crash before' | 'crash after' | 'fail before' | 'fail after';

/** The faults that a request can meet and that differ from each other. The Realtime Database SDK sends plain writes again until they are heard: those cannot fail. */
export function faultsOf({ store, kind, writes }: Io): Fault[] {
  if (!writes) return kind === 'listen' ? ['crash before', 'crash after'] : ['crash before', 'crash after', 'fail before'];
  const sentAgain = store === 'database' && kind !== 'transaction';
  return sentAgain ? ['crash before', 'crash after'] : ['crash before', 'crash after', 'fail before', 'fail after'];
}
