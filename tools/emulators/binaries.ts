import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { CACHE, ROOT } from '../paths.ts';

/** Emulators that are programs of their own rather than part of firebase-tools. */
export type BinaryEmulator = 'firestore' | 'database' | 'pubsub';

/** Where an emulator's program comes from. */
export type BinarySource = 'user' | 'cache' | 'download' | 'cloud-sdk' | 'embedded';

/** The programs found, and the environment that makes firebase-tools and the java shim use them. */
export interface Binaries {
  sources: Partial<Record<BinaryEmulator, BinarySource>>;
  env: Record<string, string>;
}

/** The outside world as far as this module looks at it, replaceable in tests. */
export interface BinarySearch {
  env: NodeJS.ProcessEnv;
  exists: (file: string) => boolean;
  reachable: (url: string) => Promise<boolean>;
  cloudSdkRoot: (env: NodeJS.ProcessEnv) => string | undefined;
  placeholder: (name: string, content: string) => string;
}

interface Release {
  remoteUrl: string;
  downloadPathRelativeToCacheDir: string;
  binaryPathRelativeToCacheDir?: string;
}

const RELEASES = JSON.parse(
  readFileSync(join(ROOT, 'node_modules', 'firebase-tools', 'lib', 'emulator', 'downloadableEmulatorInfo.json'), 'utf8'),
) as Record<BinaryEmulator, Release>;

const CLOUD_SDK_FILES = {
  firestore: join('platform', 'cloud-firestore-emulator', 'cloud-firestore-emulator.jar'),
  pubsub: join('platform', 'pubsub-emulator', 'bin', 'cloud-pubsub-emulator'),
};

const NAMES = { firestore: 'Firestore', pubsub: 'Pub/Sub' };

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(2_500) })).ok;
  } catch {
    return false;
  }
}

/** Root of the Google Cloud CLI. Its own answer takes a second of Python, so the usual places come first. */
function findCloudSdk(env: NodeJS.ProcessEnv): string | undefined {
  const onPath = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'gcloud')).find(existsSync);
  const usual = [
    env['CLOUDSDK_ROOT_DIR'],
    onPath && dirname(dirname(realpathSync(onPath))),
    '/usr/lib/google-cloud-sdk',
    '/opt/google-cloud-sdk',
    '/snap/google-cloud-cli/current',
    join(homedir(), 'google-cloud-sdk'),
  ];
  const root = usual.find((folder) => folder && existsSync(join(folder, 'platform')));
  if (root || !onPath) return root;
  const asked = spawnSync(onPath, ['info', '--format=value(installation.sdk_root)'], { encoding: 'utf8', timeout: 20_000 });
  return asked.status === 0 ? asked.stdout.trim() : undefined;
}

function writePlaceholder(name: string, content: string): string {
  const file = join(CACHE, 'emulators', name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o755 });
  return file;
}

const WORLD: BinarySearch = {
  env: process.env,
  exists: existsSync,
  reachable: answers,
  cloudSdkRoot: findCloudSdk,
  placeholder: writePlaceholder,
};

/** What the user chose, what firebase-tools downloaded before, or what it can download now. */
async function official(emulator: BinaryEmulator, world: BinarySearch): Promise<BinarySource | undefined> {
  if (world.env[`${emulator.toUpperCase()}_EMULATOR_BINARY_PATH`]) return 'user';
  const release = RELEASES[emulator];
  const folder = world.env['FIREBASE_EMULATORS_PATH'] ?? join(homedir(), '.cache', 'firebase', 'emulators');
  const file = join(folder, release.binaryPathRelativeToCacheDir ?? release.downloadPathRelativeToCacheDir);
  if (world.exists(file)) return 'cache';
  return (await world.reachable(release.remoteUrl)) ? 'download' : undefined;
}

/**
 * Firestore or Pub/Sub out of the Google Cloud CLI. firebase-tools changes the mode of the file it is
 * pointed at, which fails on a package owned by root, so it gets a small file of ours instead.
 */
function fromCloudSdk(emulator: 'firestore' | 'pubsub', world: BinarySearch): Record<string, string> {
  const root = world.cloudSdkRoot(world.env);
  const file = root && join(root, CLOUD_SDK_FILES[emulator]);
  if (!file || !world.exists(file)) {
    throw new UserError(
      `There is no ${NAMES[emulator]} emulator: its download host cannot be reached and the Google Cloud CLI has none. `
        + `Install the package google-cloud-cli-${emulator}-emulator, or run: gcloud components install `
        + (emulator === 'firestore' ? 'cloud-firestore-emulator' : 'pubsub-emulator'),
    );
  }
  if (emulator === 'firestore') {
    return { FIRESTORE_EMULATOR_BINARY_PATH: world.placeholder('cloud-sdk-firestore.jar', ''), JIGA_FIRESTORE_JAR: file };
  }
  const quoted = `'${file.replaceAll("'", `'\\''`)}'`;
  return { PUBSUB_EMULATOR_BINARY_PATH: world.placeholder('cloud-sdk-pubsub', `#!/bin/sh\nexec ${quoted} "$@"\n`) };
}

/**
 * Decides for each emulator which program runs it: the official one where there is one, otherwise the
 * Google Cloud CLI's copy, and for the Realtime Database the embedded server of this repository.
 */
export async function findBinaries(emulators: readonly BinaryEmulator[], search: Partial<BinarySearch> = {}): Promise<Binaries> {
  const world = { ...WORLD, ...search };
  const found = await Promise.all(emulators.map(async (emulator) => [emulator, await official(emulator, world)] as const));
  const binaries: Binaries = { sources: {}, env: {} };
  for (const [emulator, source] of found) {
    if (source) {
      binaries.sources[emulator] = source;
    } else if (emulator === 'database') {
      binaries.sources.database = 'embedded';
      binaries.env['DATABASE_EMULATOR_BINARY_PATH'] = world.placeholder('embedded-database.jar', '');
    } else {
      binaries.sources[emulator] = 'cloud-sdk';
      Object.assign(binaries.env, fromCloudSdk(emulator, world));
    }
  }
  return binaries;
}
