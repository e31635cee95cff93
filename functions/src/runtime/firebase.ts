import { createHash } from 'node:crypto';
import { getApps, initializeApp, type App } from 'firebase-admin/app';
import { getAppCheck, type AppCheck } from 'firebase-admin/app-check';
import { getAuth, type Auth } from 'firebase-admin/auth';
import type { Database } from 'firebase-admin/database';
import { getFirestore, type Firestore } from 'firebase-admin/firestore';
import { getDatabaseWithUrl, getDatabase } from 'firebase-admin/database';
import type { Storage } from 'firebase-admin/storage';
import type { PubSub } from '@google-cloud/pubsub';
import { liveDatabaseUrls, mediaBucketName } from './params.ts';

/** Databases that stand in for the project's, for simulations. */
export interface Databases {
  firestore: Firestore;
  live: Database;
  pubsub: PubSub;
}

let replaced: Databases | null = null;

/** Makes this process use other databases; null goes back to the project's. */
export function useDatabases(databases: Databases | null): void {
  replaced = databases;
}

let defaultApp: App | undefined;

/** firebase-functions keeps an app of its own under another name, so the default one is looked for by its name. */
function app(): App {
  defaultApp ??= getApps().find(({ name }) => name === '[DEFAULT]') ?? initializeApp();
  return defaultApp;
}

let firestore: Firestore | undefined;

/** The project's Firestore. Undefined fields are dropped on write. */
export function db(): Firestore {
  if (replaced) return replaced.firestore;
  if (!firestore) {
    firestore = getFirestore(app());
    firestore.settings({ ignoreUndefinedProperties: true });
  }
  return firestore;
}

/** Firebase Auth of the project. */
export function auth(): Auth {
  return getAuth(app());
}

/** App Check of the project. */
export function appCheck(): AppCheck {
  return getAppCheck(app());
}

/** Every Realtime Database that holds live state, in shard order. */
export function liveDatabases(): Database[] {
  if (replaced) return [replaced.live];
  const urls = shardUrls();
  return urls.length === 0 ? [getDatabase(app())] : urls.map((url) => getDatabaseWithUrl(url, app()));
}

/** The Realtime Database that holds everything of one session: a stable hash spreads sessions over the shards. */
export function liveDatabase(sessionId: string): Database {
  if (replaced) return replaced.live;
  const urls = shardUrls();
  return urls.length === 0 ? getDatabase(app()) : getDatabaseWithUrl(shardOf(sessionId, urls), app());
}

/** Where clients find the live state of a session when sessions are spread over databases; null when they are not. */
export function liveDatabaseUrl(sessionId: string): string | null {
  return configuredUrls().length === 0 ? null : shardOf(sessionId, configuredUrls());
}

function configuredUrls(): string[] {
  return liveDatabaseUrls.value().split(',').map((url) => url.trim()).filter((url) => url !== '');
}

function shardOf(sessionId: string, urls: string[]): string {
  return urls[createHash('sha256').update(sessionId).digest().readUInt32BE(0) % urls.length] ?? '';
}

function shardUrls(): string[] {
  const urls = configuredUrls();
  const emulator = process.env['FIREBASE_DATABASE_EMULATOR_HOST'];
  // For demo projects firebase-tools names another namespace to the functions than the one it loads the rules into.
  return urls.length === 0 && emulator ? [`http://${emulator}?ns=${process.env['GCLOUD_PROJECT']}-default-rtdb`] : urls;
}

let publisher: PubSub | undefined;

/** The Pub/Sub client; loaded on first use because only the publisher of the outbox needs it. */
export async function pubsub(): Promise<PubSub> {
  if (replaced) return replaced.pubsub;
  if (!publisher) {
    const { PubSub } = await import('@google-cloud/pubsub');
    publisher = new PubSub({ projectId: process.env['GCLOUD_PROJECT'] ?? '' });
  }
  return publisher;
}

/** A bucket of Cloud Storage. */
export type Bucket = ReturnType<Storage['bucket']>;

/**
 * The bucket of kept media; its SDK is loaded on first use because few turns need it.
 * @throws Error when MEDIA_BUCKET names none and the project has no default bucket.
 */
export async function mediaBucket(): Promise<Bucket> {
  const { getStorage } = await import('firebase-admin/storage');
  return getStorage(app()).bucket(mediaBucketName.value() || undefined);
}
