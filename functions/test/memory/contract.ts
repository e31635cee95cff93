import type { Database } from 'firebase-admin/database';
import type { Firestore } from 'firebase-admin/firestore';
import { describeDatabaseListeners } from './contract-database-listeners.ts';
import { describeDatabaseTransactions } from './contract-database-transactions.ts';
import { describeDatabaseValues } from './contract-database-values.ts';
import { describeFirestoreCommits } from './contract-firestore-commits.ts';
import { describeFirestoreDocuments } from './contract-firestore-documents.ts';
import { describeFirestoreQueries } from './contract-firestore-queries.ts';

/** What JIGA relies on in Firestore, checked on the one that `firestore` gives. */
export function describeFirestoreContract(name: string, firestore: () => Firestore): void {
  describe(name, () => {
    describeFirestoreDocuments(firestore);
    describeFirestoreCommits(firestore);
    describeFirestoreQueries(firestore);
  });
}

/** What JIGA relies on in Realtime Database, checked on the one that `database` gives; `other` is another process on the same data. */
export function describeDatabaseContract(name: string, database: () => Database, other: () => Database): void {
  describe(name, () => {
    describeDatabaseValues(database);
    describeDatabaseTransactions(database, other);
    describeDatabaseListeners(database, other);
  });
}
