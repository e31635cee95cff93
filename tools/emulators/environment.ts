import { delimiter, dirname, join } from 'node:path';
import { CACHE, NODE, PROJECT_ID } from '../paths.ts';
import type { Binaries } from './binaries.ts';
import type { Java } from './java.ts';
import type { Address, EmulatorName } from './ports.ts';

/** Variables by which the SDKs find each emulator; the others are reached by URL only. */
const HOST_VARIABLES: Partial<Record<EmulatorName, string>> = {
  auth: 'FIREBASE_AUTH_EMULATOR_HOST',
  firestore: 'FIRESTORE_EMULATOR_HOST',
  database: 'FIREBASE_DATABASE_EMULATOR_HOST',
  pubsub: 'PUBSUB_EMULATOR_HOST',
  tasks: 'CLOUD_TASKS_EMULATOR_HOST',
};

/** Environment that points a process outside the suite, such as a test, at its emulators. */
export function clientEnvironment(only: readonly EmulatorName[], addresses: Record<EmulatorName, Address>): Record<string, string> {
  const namespace = `${PROJECT_ID}-default-rtdb`;
  const databaseURL = `http://${addresses.database.host}:${addresses.database.port}?ns=${namespace}`;
  const env: Record<string, string> = {
    GCLOUD_PROJECT: PROJECT_ID,
    GOOGLE_CLOUD_PROJECT: PROJECT_ID,
    FIREBASE_CONFIG: JSON.stringify({ projectId: PROJECT_ID, databaseURL, storageBucket: `${PROJECT_ID}.appspot.com` }),
    // Stops the Google libraries from looking for a metadata server, which takes seconds off Google Cloud.
    METADATA_SERVER_DETECTION: 'none',
  };
  for (const name of only) {
    const variable = HOST_VARIABLES[name];
    if (variable) env[variable] = `${addresses[name].host}:${addresses[name].port}`;
  }
  if (only.includes('eventarc')) env['EVENTARC_EMULATOR'] = `http://${addresses.eventarc.host}:${addresses.eventarc.port}`;
  if (only.includes('functions')) env['FUNCTIONS_EMULATOR_URL'] = `http://${addresses.functions.host}:${addresses.functions.port}`;
  return env;
}

/** Environment of firebase-tools itself: the right Java, Node and programs, quiet, and kept inside .cache. */
export function launchEnvironment(
  { env, java, binaries, secretsUrl }: { env: NodeJS.ProcessEnv; java: Java; binaries: Binaries; secretsUrl: string },
): NodeJS.ProcessEnv {
  const inherited = { ...env };
  // A host left over in the user's shell would send firebase-tools to another suite.
  for (const variable of Object.values(HOST_VARIABLES)) delete inherited[variable];
  return {
    ...inherited,
    ...binaries.env,
    PATH: [join(import.meta.dirname, 'shim'), dirname(NODE), env['PATH']].join(delimiter),
    JAVA_HOME: java.home,
    JIGA_JAVA: java.executable,
    JIGA_NODE: NODE,
    JIGA_DATABASE_MAIN: join(import.meta.dirname, 'database', 'main.ts'),
    CLOUD_PUBSUB_EMULATOR_OPTS: env['CLOUD_PUBSUB_EMULATOR_OPTS'] ?? '-Xmx512m',
    CLOUD_SECRET_MANAGER_URL: secretsUrl,
    FIREBASE_DEBUG_PATH: join(CACHE, 'emulators', 'firebase-debug.log'),
    // Function discovery through a file ends with its process; through a port it waits 3 s for the connection to close.
    FIREBASE_FUNCTIONS_DISCOVERY_OUTPUT_PATH: join(CACHE, 'emulators'),
    FUNCTIONS_DISCOVERY_TIMEOUT: '30',
    // Every request in flight is a process of its own here: compiled code is kept, so that each starts sooner.
    NODE_COMPILE_CACHE: join(CACHE, 'compiled'),
    // No account, update check or message of the day: the same start on every machine.
    XDG_CONFIG_HOME: join(CACHE, 'config'),
    NO_UPDATE_NOTIFIER: '1',
    CI: '1',
    METADATA_SERVER_DETECTION: 'none',
  };
}
