import { describeDatabaseContract, describeFirestoreContract } from './contract.ts';
import { createMemoryDatabase } from './database.ts';
import { createMemoryFirestore } from './firestore.ts';

const firestore = createMemoryFirestore();
const database = createMemoryDatabase();
const other = createMemoryDatabase({ data: database.data });

after(() => Promise.all([database.close(), other.close()]));

describeFirestoreContract('Firestore in memory', () => firestore);
describeDatabaseContract('Realtime Database in memory', () => database, () => other);
