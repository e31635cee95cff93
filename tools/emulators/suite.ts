import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { CACHE, FUNCTIONS, MEDIA_FOLDER, NODE, PROJECT_ID, ROOT } from '../paths.ts';
import { findBinaries, type BinaryEmulator } from './binaries.ts';
import { clientEnvironment, launchEnvironment } from './environment.ts';
import { exportData, requireExportFolder } from './export.ts';
import { findJava } from './java.ts';
import { lastUsefulLines } from './log.ts';
import { writeParameters } from './parameters.ts';
import { EMULATORS, readAddresses, requireFreePorts, type EmulatorName } from './ports.ts';
import { descendants, signalProcess, survivors, type ProcessEntry } from './processes.ts';
import { serveSecrets } from './secrets.ts';

/** What to start. */
export interface SuiteOptions {
  /** An export of the emulators to begin with. */
  importFrom?: string | undefined;
  /** Folder that receives an export when the suite stops; whatever is in it is replaced. */
  exportTo?: string | undefined;
  /** Emulators to start; all of them if absent. */
  only?: readonly EmulatorName[];
  /** More environment for the emulators, and so for the functions: parameters, secrets. */
  env?: Record<string, string>;
  /** Receives all output; .cache/emulators.log if absent. */
  logFile?: string;
  /** Gives up the start; whatever already runs is stopped. */
  signal?: AbortSignal;
}

/** A running emulator suite. */
export interface Suite {
  /** Base address of each emulator, such as `http://127.0.0.1:8080`. */
  urls: Partial<Record<EmulatorName, string>>;
  /** Environment that points the SDKs of another process at this suite. */
  env: Record<string, string>;
  logFile: string;
  /** Which programs run it and how long the start took, for people. */
  description: string;
  /** Settles when the suite's process ends, asked or not. */
  exited: Promise<void>;
  /** Stops everything that was started, once however often it is called. */
  stop: () => Promise<void>;
}

const READY = 'All emulators ready!';
const FUNCTIONS_FAILED = 'Failed to load function definition from source';
const START_TIMEOUT_MS = 90_000;
const DOWNLOAD_TIMEOUT_MS = 900_000;
const STOP_TIMEOUT_MS = 30_000;

function spawnSuite(options: SuiteOptions, only: readonly EmulatorName[], env: NodeJS.ProcessEnv, logFile: string): ChildProcess {
  // The emulators write their own logs into the working directory.
  const workFolder = join(CACHE, 'emulators');
  mkdirSync(workFolder, { recursive: true });
  mkdirSync(dirname(logFile), { recursive: true });
  const args = ['emulators:start', '--config', join(ROOT, 'firebase.json'), '--project', PROJECT_ID, '--only', only.join(',')];
  if (options.importFrom) args.push('--import', resolve(options.importFrom));
  const log = openSync(logFile, 'w');
  // A process group of its own keeps a Ctrl-C of the terminal away: stop() asks once, in order.
  const firebase = join(ROOT, 'node_modules', 'firebase-tools', 'lib', 'bin', 'firebase.js');
  // The Auth emulator compiles thousands of schemas at start; more room for young objects saves it 5 s of collecting garbage.
  const child = spawn(NODE, ['--max-semi-space-size=64', firebase, ...args], {
    cwd: workFolder,
    env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

/** The folder for what is kept of sessions, unless the user names another: emptied, since those of an earlier run are gone. */
function emptyMediaFolder(): string {
  rmSync(MEDIA_FOLDER, { recursive: true, force: true });
  return MEDIA_FOLDER;
}

/** Asks the suite to stop, waits, and ends what is left of its process tree. */
async function endTree(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return;
  const known = new Map<number, ProcessEntry>();
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  const remember = () => descendants(pid).forEach((entry) => known.set(entry.pid, entry));
  remember();
  signalProcess(pid, 'SIGINT');
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    await Promise.race([exited, delay(200)]);
    remember();
  }
  if (child.exitCode === null && child.signalCode === null) signalProcess(pid, 'SIGKILL');
  await exited;
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    const left = survivors(known.values());
    if (left.length === 0) return;
    left.forEach((entry) => signalProcess(entry.pid, name));
    await delay(1_000);
  }
}

async function untilReady(child: ChildProcess, logFile: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const fail = (what: string, text: string) => new UserError(`${what}\n${lastUsefulLines(text)}\nThe whole log: ${logFile}`);
  for (;;) {
    const text = readFileSync(logFile, 'utf8');
    if (signal?.aborted) throw new UserError('Stopped before the emulators were ready.');
    if (text.includes(FUNCTIONS_FAILED)) throw fail('The functions could not be loaded:', text);
    if (text.includes(READY)) return;
    if (child.exitCode !== null || child.signalCode !== null) throw fail('The emulators ended before they were ready:', text);
    if (Date.now() > deadline) throw fail(`The emulators were not ready after ${timeoutMs / 1000} s:`, text);
    await delay(100);
  }
}

/** Starts the emulator suite and waits until it answers and the functions are loaded. */
export async function startSuite(options: SuiteOptions = {}): Promise<Suite> {
  const started = Date.now();
  const only = options.only ?? EMULATORS;
  const logFile = options.logFile ?? join(CACHE, 'emulators.log');
  if (options.exportTo) requireExportFolder(resolve(options.exportTo));
  if (options.importFrom && !existsSync(join(options.importFrom, 'firebase-export-metadata.json'))) {
    throw new UserError(`${options.importFrom} holds no export of the emulators: run npm run seed:export, or start with --no-import.`);
  }
  const addresses = readAddresses();
  const own = Object.fromEntries([...only, 'hub' as const, 'logging' as const].map((name) => [name, addresses[name]]));
  await requireFreePorts(own);
  const java = findJava();
  const binaries = await findBinaries(only.filter((name): name is BinaryEmulator => ['firestore', 'database', 'pubsub'].includes(name)));
  const userEnv = { MEDIA_FOLDER: emptyMediaFolder(), ...process.env, ...options.env };
  const secrets = await serveSecrets(userEnv);
  const removeParameters = only.includes('functions') ? writeParameters(FUNCTIONS, userEnv) : () => undefined;

  const child = spawnSuite(options, only, launchEnvironment({ env: userEnv, java, binaries, secretsUrl: secrets.url }), logFile);
  const exited = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  let ending: Promise<void> | undefined;
  // The last resort when this process ends without stop(): nothing asynchronous runs any more. A second
  // SIGINT would make firebase-tools give up its clean shutdown.
  const onExit = () => !ending && child.pid !== undefined && signalProcess(child.pid, 'SIGINT');
  process.on('exit', onExit);
  const end = () => (ending ??= endTree(child, exited).finally(() => {
    process.off('exit', onExit);
    removeParameters();
    secrets.close();
  }));
  const { exportTo } = options;
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= (exportTo ? exportData(addresses.hub, exportTo) : Promise.resolve()).finally(end));

  const downloads = Object.values(binaries.sources).includes('download');
  try {
    await untilReady(child, logFile, downloads ? DOWNLOAD_TIMEOUT_MS : START_TIMEOUT_MS, options.signal);
  } catch (error) {
    await end();
    throw error;
  }
  const urls = Object.fromEntries(only.map((name) => [name, `http://${addresses[name].host}:${addresses[name].port}`]));
  const programs = Object.entries(binaries.sources).map(([name, source]) => `${name}: ${source}`).join(', ');
  const description = `ready in ${((Date.now() - started) / 1000).toFixed(1)} s on Java ${java.version} (${programs})`;
  return { urls, env: { ...clientEnvironment(only, addresses), MEDIA_FOLDER: userEnv.MEDIA_FOLDER }, logFile, description, exited, stop };
}
