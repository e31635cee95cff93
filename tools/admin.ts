import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as AppModule from '../functions/node_modules/firebase-admin/lib/app/index.js';
import type * as AuthModule from '../functions/node_modules/firebase-admin/lib/auth/index.js';
import type * as FirestoreModule from '../functions/node_modules/firebase-admin/lib/firestore/index.js';
import { FUNCTIONS, PROJECT_ID } from './paths.ts';

export type Auth = AuthModule.Auth;
export type Firestore = FirestoreModule.Firestore;
export type Timestamp = FirestoreModule.Timestamp;

// The Admin SDK belongs to the functions; the tools borrow that copy, so that both speak the same version.
const load = createRequire(join(FUNCTIONS, 'package.json'));

/** Administrator's access to a running suite. */
export interface Admin {
  auth: Auth;
  firestore: Firestore;
  /** Builds the Timestamp class that this copy of the SDK recognises. */
  timestamp: (date: Date) => Timestamp;
  close: () => Promise<void>;
}

/** What to connect to. */
export interface AdminOptions {
  projectId?: string;
  /** Whether accounts are of interest: without them the suite need not run Auth. */
  accounts?: boolean;
}

/** Connects the Admin SDK to the emulators that the environment of {@link Suite} names. */
export function connectAdmin(env: Record<string, string | undefined>, { projectId = PROJECT_ID, accounts = true }: AdminOptions = {}): Admin {
  for (const variable of ['FIRESTORE_EMULATOR_HOST', ...(accounts ? ['FIREBASE_AUTH_EMULATOR_HOST'] : [])]) {
    const host = env[variable];
    if (!host) throw new Error(`${variable} is not set: the Admin SDK would look for the real service`);
    process.env[variable] = host;
  }
  const { initializeApp, deleteApp } = load('firebase-admin/app') as typeof AppModule;
  const { getAuth } = load('firebase-admin/auth') as typeof AuthModule;
  const { getFirestore, Timestamp } = load('firebase-admin/firestore') as typeof FirestoreModule;
  const app = initializeApp({ projectId }, `tools-${projectId}`);
  return {
    auth: getAuth(app),
    firestore: getFirestore(app),
    timestamp: (date) => Timestamp.fromDate(date),
    close: () => deleteApp(app),
  };
}
