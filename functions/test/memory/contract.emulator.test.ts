import { initializeApp } from 'firebase-admin/app';
import { getDatabaseWithUrl, type Database } from 'firebase-admin/database';
import { db, liveDatabases } from '../../src/runtime/firebase.ts';
import { closeClients } from '../harness.ts';
import { describeDatabaseContract, describeFirestoreContract } from './contract.ts';

let connected: Database | undefined;

/** A second process on the same database, which closeClients ends with the rest. */
function other(): Database {
  connected ??= getDatabaseWithUrl(`http://${process.env['FIREBASE_DATABASE_EMULATOR_HOST']}?ns=${process.env['GCLOUD_PROJECT']}-default-rtdb`, initializeApp({}, 'other'));
  return connected;
}

after(closeClients);

describeFirestoreContract('the Firestore emulator', db);
describeDatabaseContract('the Realtime Database emulator', () => liveDatabases()[0]!, other);
