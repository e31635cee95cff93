import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve, type ServeOptions, type Served } from '../../../functions/test/framework.ts';
import { startSuite, type Suite } from '../../emulators/suite.ts';
import { CACHE, FUNCTIONS, PROJECT_ID } from '../../paths.ts';
import { tapDatabase, type DatabaseTap } from '../taps/database.ts';
import { tapFirestore, type FirestoreTap } from '../taps/firestore.ts';
import { buildBaseline, type Baseline } from './build.ts';
import { createEvents, type Events, type Trigger } from './events.ts';
import { openProject, type Project } from './project.ts';
import { createTokens, type Tokens } from './tokens.ts';
import type { VendorAddresses } from './vendor.ts';

/** Folder of everything that benchmarks leave behind. */
export const benchCache = join(CACHE, 'bench');

/** An instance to start. */
export interface InstanceOptions extends Pick<ServeOptions, 'target' | 'signature'> {
  /** Whose databases it works on; that of `world.project()` if absent. */
  project?: Project;
  /** Served instead of the functions. */
  baseline?: Baseline;
  /** Places to count at, in front of the databases. */
  firestore?: FirestoreTap;
  database?: DatabaseTap;
  /** Ask the model that thinks for a while. */
  slowModel?: boolean;
}

/** A suite of emulators, as far as benchmarks use it. */
type RunningSuite = Pick<Suite, 'env' | 'urls'>;

/** What a world is made of. */
export interface WorldOptions {
  signal: AbortSignal;
  say: (line: string) => void;
  /** A suite that runs already, the project whose events are of interest, and where these come from; started if absent. */
  running?: { suite: RunningSuite; eventProject: string; events: Events };
}

/** What benchmarks run in: emulators, instances, a mock of the vendor, people with tokens. Started when first asked for, ended by `close`. */
export class World {
  readonly say: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #closers: (() => unknown)[] = [];
  /** What one benchmark has started. */
  readonly #passing: (() => unknown)[] = [];
  readonly #projects = new Map<string, Promise<Project>>();
  readonly #running: WorldOptions['running'];
  /** The project whose documents have triggers. */
  readonly eventProject: string;
  #base: Promise<Base> | undefined;

  constructor({ signal, say, running }: WorldOptions) {
    this.#signal = signal;
    this.say = say;
    this.#running = running;
    this.eventProject = running?.eventProject ?? PROJECT_ID;
    mkdirSync(benchCache, { recursive: true });
  }

  /** What everything else stands on. */
  base(): Promise<Base> {
    return this.#base ??= this.#start();
  }

  /** The project of that name; only documents of that called `eventProject` have triggers. */
  async project(id = 'demo-jiga-bench'): Promise<Project> {
    const { suite, tokens } = await this.base();
    const opened = this.#projects.get(id) ?? openProject(suite, id, tokens);
    this.#projects.set(id, opened);
    return opened;
  }

  /** Starts an instance of a built function, or of a baseline, as it is deployed. It ends with the benchmark. */
  async instance({ target, signature, project, baseline, firestore, database, slowModel = false }: InstanceOptions): Promise<Served> {
    this.#signal.throwIfAborted();
    const { suite, tokens, vendor } = await this.base();
    const projectId = (project ?? await this.project()).id;
    const served = await serve({
      source: baseline === undefined ? FUNCTIONS : await buildBaseline(baseline),
      target,
      ...(signature === undefined ? {} : { signature }),
      log: join(benchCache, `${target}.log`),
      env: {
        ...suite.env,
        ...deployedEnvironment(target),
        ...tokens.env,
        ...projectEnvironment(projectId),
        // A benchmark calls more often than any player.
        RATE_LIMIT_PER_USER: '1000000',
        OPENAI_API_KEY: 'bench-key',
        OPENAI_BASE_URL: `${slowModel ? vendor.slowUrl : vendor.url}/v1`,
        ...(firestore ? { FIRESTORE_EMULATOR_HOST: firestore.address } : {}),
        ...(database ? { FIREBASE_DATABASE_EMULATOR_HOST: database.address } : {}),
      },
    });
    this.#passing.push(served.kill);
    return served;
  }

  /** Starts an instance of each of these functions. */
  async instances<Target extends string>(targets: readonly Target[], options: Omit<InstanceOptions, 'target'> = {}): Promise<Record<Target, Served>> {
    const instances = await Promise.all(targets.map((target) => this.instance({ ...options, target })));
    return Object.fromEntries(targets.map((target, index) => [target, instances[index]!])) as Record<Target, Served>;
  }

  /** Serves every function that has events and gives it those, until the benchmark ends; otherwise events are dropped. */
  async serveTriggers(options: Omit<InstanceOptions, 'target' | 'signature'> = {}): Promise<void> {
    const { events, triggers } = await this.base();
    const targets = [...new Set(triggers.map(({ target }) => target))].filter((target) => target !== noTrigger);
    events.route(await this.instances(targets, { ...options, signature: 'cloudevent' }));
  }

  /** Opens a place to count at in front of Firestore. */
  async tapFirestore(): Promise<FirestoreTap> {
    const tap = await tapFirestore((await this.base()).suite.env['FIRESTORE_EMULATOR_HOST']!);
    this.#passing.push(tap.close);
    return tap;
  }

  /** Opens a place to count at in front of the Realtime Database. */
  async tapDatabase(): Promise<DatabaseTap> {
    const tap = await tapDatabase((await this.base()).suite.env['FIREBASE_DATABASE_EMULATOR_HOST']!);
    this.#passing.push(tap.close);
    return tap;
  }

  /** Calls `close` when the benchmark ends. */
  onTidy(close: () => unknown): void {
    this.#passing.push(close);
  }

  /** Ends what a benchmark has started: the next one finds the machine as this one did. */
  async tidy(): Promise<void> {
    (await this.#base)?.events.route({});
    for (const close of this.#passing.splice(0).reverse()) await close();
  }

  /** Ends everything, the last started first. */
  async close(): Promise<void> {
    await this.tidy().catch(() => undefined);
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async #start(): Promise<Base> {
    const events = this.#running?.events ?? await createEvents();
    this.#closers.push(events.close);
    const tokens = await createTokens();
    this.#closers.push(tokens.close);
    const vendor = await this.#startVendor();
    const closeProjects = async (): Promise<unknown> => Promise.all([...this.#projects.values()].map(async (project) => (await project).close()));
    const suite = this.#running?.suite ?? await this.#startSuite(events);
    this.#closers.push(closeProjects);
    const triggers = await builtTriggers(this.eventProject);
    await events.register(suite.urls.firestore!, this.eventProject, triggers);
    return { tokens, events, vendor, suite, triggers };
  }

  async #startSuite(events: Events): Promise<RunningSuite> {
    this.say('starting the emulators');
    const suite = await startSuite({ only: ['firestore', 'database', 'pubsub'], env: { JIGA_EVENTS_AT: events.address }, logFile: join(benchCache, 'emulators.log'), signal: this.#signal });
    this.#closers.push(suite.stop);
    return suite;
  }

  async #startVendor(): Promise<VendorAddresses> {
    const child: ChildProcess = fork(join(import.meta.dirname, 'vendor.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#closers.push(() => child.kill());
    const [addresses] = await once(child, 'message') as [VendorAddresses];
    return addresses;
  }
}

/** The baseline of a trigger. */
export const noTrigger = 'naiveTrigger';

/** What is there once the emulators run. */
interface Base {
  suite: RunningSuite;
  tokens: Tokens;
  events: Events;
  vendor: VendorAddresses;
  triggers: Trigger[];
}

/** Environment of a process that works on a project. */
export function projectEnvironment(projectId: string): Record<string, string> {
  return { GCLOUD_PROJECT: projectId, GOOGLE_CLOUD_PROJECT: projectId, FIREBASE_CONFIG: JSON.stringify({ projectId }) };
}

/** Environment of an instance wherever it runs: what Cloud Run sets for a function. */
export function deployedEnvironment(target: string): Record<string, string | undefined> {
  return { NODE_ENV: 'production', K_SERVICE: target.toLowerCase(), FIREBASE_AUTH_EMULATOR_HOST: undefined, NODE_COMPILE_CACHE: undefined };
}

interface Endpoint {
  eventTrigger?: { eventType: string; eventFilters?: Record<string, string>; eventFilterPathPatterns?: Record<string, string> };
}

/** The Firestore triggers of the built functions, and the one that does nothing. */
async function builtTriggers(projectId: string): Promise<Trigger[]> {
  // The endpoint of a trigger names its project.
  process.env['GCLOUD_PROJECT'] ??= projectId;
  const built = await import(pathToFileURL(join(FUNCTIONS, 'lib', 'index.js')).href) as Record<string, { __endpoint?: Endpoint }>;
  const ours = Object.entries(built).flatMap(([target, { __endpoint }]): Trigger[] => {
    const { eventType: type = '', eventFilters, eventFilterPathPatterns } = __endpoint?.eventTrigger ?? {};
    const document = eventFilterPathPatterns?.['document'] ?? eventFilters?.['document'];
    return type.startsWith('google.cloud.firestore.') && document !== undefined ? [{ target, type, document }] : [];
  });
  return [...ours, { target: noTrigger, type: 'google.cloud.firestore.document.v1.created', document: 'naive/{id}' }];
}
