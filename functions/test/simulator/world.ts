import { AsyncLocalStorage } from 'node:async_hooks';
import type { PubSub } from '@google-cloud/pubsub';
import { useDatabases } from '../../src/runtime/firebase.ts';
import { useLog } from '../../src/runtime/log.ts';
import { useSystem } from '../../src/runtime/system.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../memory/database.ts';
import { createMemoryFirestore, type Change, type MemoryFirestore } from '../memory/firestore.ts';
import type { Io } from '../memory/io.ts';
import { createChance, type Chance } from './chance.ts';
import type { Fault } from './faults.ts';
import { Scheduler } from './scheduler.ts';

/** One instance of the functions: its own clock, connection and requests in flight. */
export interface Process {
  id: string;
  alive: boolean;
  /** How far its clock is off, in ms. */
  skewMs: number;
  database: MemoryDatabase;
  /** Requests to it that have no answer yet: told when it dies. */
  ongoing: Set<(gone: Error) => void>;
}

/** The answer of a process that died: none. */
export class ProcessDied extends Error {}

/** What the SDKs make of a server that cannot be reached: a gRPC status, and no code for the Realtime Database, which calls it a disconnect. */
const unreachable = { firestore: () => Object.assign(new Error('unavailable'), { code: 14 }), database: () => new Error('disconnected') };

/** What a world is made of. */
export interface WorldOptions {
  seed: number;
  /** Decides what goes wrong with a request. */
  faultOf?: (process: Process, io: Io, chance: Chance) => Fault;
}

const start = Date.UTC(2026, 10, 21, 12);

/**
 * Databases in memory, virtual time and processes that run the real code of the functions on them. Everything that
 * waits is a task: the driver decides what happens next, so that one seed is one history.
 */
export class World {
  readonly chance: Chance;
  readonly scheduler = new Scheduler(start);
  readonly firestore: MemoryFirestore;
  readonly processes: Process[] = [];
  /** Everything logged as an error, and what publishing was asked for. */
  readonly errors: object[] = [];
  readonly published: string[] = [];
  faultOf: NonNullable<WorldOptions['faultOf']>;
  /** Called after every request that changed the Realtime Database. */
  onDatabaseWrite: (paths: string[]) => void = () => undefined;
  private readonly running = new AsyncLocalStorage<Process>();
  private readonly seed: number;
  private ids = 0;
  private readonly warn = console.warn;
  private readonly stackTraceLimit = Error.stackTraceLimit;
  private shared: MemoryDatabase['data'] | undefined;

  constructor({ seed, faultOf = () => 'none' }: WorldOptions) {
    this.seed = seed;
    this.chance = createChance(seed);
    this.faultOf = faultOf;
    this.firestore = createMemoryFirestore({ gate: (io, apply) => this.request(io, apply), now: () => this.scheduler.now });
    const { running } = this;
    // The SDK warns of every transaction that is interrupted; here that is the point.
    console.warn = () => undefined;
    // The SDKs take a stack trace for every request.
    Error.stackTraceLimit = 0;
    useSystem({
      now: () => this.scheduler.now + (running.getStore()?.skewMs ?? 0),
      newId: () => `i${this.seed}-${++this.ids}`,
      newSecret: () => String(++this.ids).padStart(32, 'x'),
      random: () => this.chance.next(),
      after: (ms, act) => {
        const process = running.getStore() ?? null;
        if (process?.alive === false) return () => undefined;
        return this.scheduler.after(ms, () => (process ? running.run(process, act) : act()), process);
      },
    });
    useLog({ info: () => undefined, warn: () => undefined, write: (entry) => void (entry.severity === 'ERROR' && this.errors.push(entry)) });
    useDatabases({ firestore: this.firestore, pubsub: this.pubsub(), get live() { return running.getStore()!.database; } });
  }

  /** Starts a process. */
  boot(skewMs = 0): Process {
    const process: Process = { id: `p${this.processes.length}`, alive: true, skewMs, ongoing: new Set(), database: undefined as unknown as MemoryDatabase };
    process.database = createMemoryDatabase({
      gate: (io, apply) => this.request(io, apply, process),
      deliver: (callback) => {
        if (process.alive) this.scheduler.add({ lane: `${process.id} news`, owner: process, run: () => this.running.run(process, callback) });
      },
      ...(this.shared ? { data: this.shared } : {}),
    });
    this.shared ??= process.database.data;
    this.processes.push(process);
    return process;
  }

  /** Lets a process carry out a request; rejects with ProcessDied when it dies before it answers. */
  call<T>(process: Process, act: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      process.ongoing.add(reject);
      const answer = this.running.run(process, act);
      answer.then(resolve, reject).finally(() => process.ongoing.delete(reject));
    });
  }

  /** Ends a process: what it has in flight may still reach the databases, in order, but nobody hears of it. */
  crash(process: Process): void {
    if (!process.alive) return;
    process.alive = false;
    process.database.disconnect();
    const sent = this.scheduler.drop(process);
    for (const task of sent) {
      if (this.chance.is(0.5)) break;
      task.run();
    }
    for (const reject of [...process.ongoing]) reject(new ProcessDied(`${process.id} died`));
    process.ongoing.clear();
  }

  /** The JSON of a node of the Realtime Database, past every gate. */
  node(path: string): unknown {
    return this.processes[0]!.database.dump(path);
  }

  /** Calls the listener after every commit, with what it changed. */
  onCommit(listener: (changes: Change[]) => void): void {
    this.firestore.onCommit(listener);
  }

  /** Gives clock, log and databases back to this process. */
  async close(): Promise<void> {
    for (const process of this.processes) await process.database.close();
    console.warn = this.warn;
    Error.stackTraceLimit = this.stackTraceLimit;
    useSystem(null);
    useLog(null);
    useDatabases(null);
  }

  private request<T>(io: Io, apply: () => T, owner?: Process): Promise<T> {
    const process = owner ?? this.running.getStore();
    if (!process) throw new Error(`${io.kind} ${io.paths.join()} comes from no process`);
    return new Promise<T>((resolve, reject) => {
      if (!process.alive) return;
      const run = (): void => this.serve(process, io, apply, resolve, reject);
      this.scheduler.add({ lane: io.store === 'database' ? process.id : null, owner: process, run });
    });
  }

  private serve<T>(process: Process, io: Io, apply: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const fault = process.alive ? this.faultOf(process, io, this.chance) : 'none';
    if (fault === 'crash before') return this.crash(process);
    if (fault === 'fail before') return reject(unreachable[io.store]());
    try {
      const value = apply();
      if (io.store === 'database' && io.writes) this.onDatabaseWrite(io.paths);
      if (fault === 'crash after') return this.crash(process);
      if (!process.alive) return;
      if (fault === 'fail after') reject(unreachable[io.store]());
      else resolve(value);
    } catch (error) {
      reject(error);
    }
  }

  /** Takes messages like Pub/Sub; they count as published at once. */
  private pubsub(): PubSub {
    const topic = { publishMessage: ({ attributes }: { attributes: { eventId: string } }) => Promise.resolve(this.published.push(attributes.eventId)), resumePublishing: () => undefined };
    return { topic: () => topic, createTopic: () => Promise.resolve() } as unknown as PubSub;
  }
}
