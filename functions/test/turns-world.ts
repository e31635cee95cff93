import { setImmediate as settled } from 'node:timers/promises';
import type { PubSub } from '@google-cloud/pubsub';
import type { Firestore } from 'firebase-admin/firestore';
import { closeMeter } from '../src/live/drain.ts';
import type { Meter } from '../src/live/meter.ts';
import type { RequestRecord } from '../src/live/requests.ts';
import type { TurnResult } from '../src/live/results.ts';
import type { ProcessFrameInput, SessionContext } from '../src/live/schema.ts';
import { mirrorLive, openLive, readContext } from '../src/live/store.ts';
import { processTurn } from '../src/live/turn.ts';
import { noUsage, type ModelProvider } from '../src/providers/types.ts';
import { AppError } from '../src/runtime/errors.ts';
import { useDatabases } from '../src/runtime/firebase.ts';
import { useLog } from '../src/runtime/log.ts';
import { after, useSystem } from '../src/runtime/system.ts';
import type { ServerConfig, SessionDoc } from '../src/sessions/schema.ts';
import { abilitiesWith } from './abilities.ts';
import { createMemoryDatabase, type MemoryDatabase } from './memory/database.ts';
import { openGate, type Gate } from './memory/io.ts';
import { moment } from './money.ts';
import { freshSession } from './sharing-world.ts';

/** A model that says `first` at once and `reply` after so many ms, unless it is stopped. */
export function slowModel(ms: number, reply = 'Left.', first = ''): ModelProvider {
  return {
    name: 'offline',
    async *generate({ signal }) {
      if (first !== '') yield { type: 'text', text: first };
      await new Promise<void>((resolve, reject) => {
        const cancel = after(ms, resolve);
        signal.addEventListener('abort', () => {
          cancel();
          reject(signal.reason instanceof AppError ? signal.reason : new AppError('unavailable', 'stopped', { reason: 'provider_unavailable' }));
        });
      });
      if (reply !== '') yield { type: 'text', text: reply };
      yield { type: 'done', outcome: 'complete', usage: noUsage };
    },
  };
}

/** What a test changes of a turn. */
export interface TurnParts extends Partial<ProcessFrameInput> {
  by?: string;
  model?: ModelProvider;
  gone?: AbortSignal;
}

/** Session s1 of u1, in which p1 and p2 play and a turn costs 1 DOF, on a database in memory and in time that passes when a test says so. */
export class TurnsWorld {
  now = moment;
  /** What every request to the database passes. */
  gate: Gate = openGate;
  readonly database: MemoryDatabase;
  readonly logged: object[] = [];
  session: SessionDoc = freshSession();
  private context!: SessionContext;
  private timers: { at: number; act: () => void }[] = [];
  private ids = 0;
  private readonly warn = console.warn;

  constructor() {
    this.database = createMemoryDatabase({ gate: (io, apply) => this.gate(io, apply) });
    useDatabases({ live: this.database, firestore: undefined as unknown as Firestore, pubsub: undefined as unknown as PubSub });
    useSystem({
      now: () => this.now, newId: () => `t${++this.ids}`, random: () => 0,
      after: (ms, act) => {
        const timer = { at: this.now + ms, act };
        this.timers.push(timer);
        return () => { this.timers = this.timers.filter((each) => each !== timer); };
      },
    });
    const keep = (message: string, about?: object): void => void this.logged.push({ message, ...about });
    useLog({ info: keep, warn: keep, write: (entry) => void this.logged.push(entry) });
    // The SDK warns of every answer that is lost.
    console.warn = () => undefined;
  }

  /** Opens the session. */
  async open({ limits = {}, memberCaps = {} }: { limits?: Partial<ServerConfig['limits']>; memberCaps?: SessionDoc['memberCaps'] } = {}): Promise<void> {
    this.session = { ...freshSession({ limits }), members: { u1: 'owner', p1: 'player', p2: 'player', s1: 'spectator' }, memberCaps };
    await openLive(this.session);
    this.context = (await readContext('s1'))!;
  }

  /** Asks for a turn; it is not waited for. */
  turn(requestId: string, { by = 'u1', model = slowModel(1_000), gone = new AbortController().signal, ...parts }: TurnParts = {}): Promise<TurnResult> {
    const deps = { now: () => this.now, newId: () => `t${++this.ids}`, abilities: abilitiesWith(model), endSession: (sessionId: string, reason: 'expired') => closeMeter(sessionId, reason, () => this.now) };
    const turn = processTurn({ sessionId: 's1', requestId, instruction: 'Where to?', ...parts }, this.context, deps as Parameters<typeof processTurn>[2], { uid: by, emit: () => undefined, signal: gone });
    // A test that looks at it later must not fail before.
    turn.catch(() => undefined);
    return turn;
  }

  /** Lets a change of the members be committed and reach the live state. */
  async members(members: SessionDoc['members']): Promise<void> {
    this.session = { ...this.session, members, version: this.session.version + 1 };
    await mirrorLive(this.session);
  }

  /** Lets everything happen that takes no time. */
  async settle(): Promise<void> {
    for (let round = 0; round < 5; round++) await settled();
  }

  /** Lets time pass, with everything that happens meanwhile. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await this.settle();
      const [next] = this.timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.act();
    }
    this.now = until;
  }

  get meter(): Meter {
    return this.database.dump('meters/s1') as Meter;
  }

  /** Records of requests, by where they stand. */
  get records(): Record<string, RequestRecord> {
    return (this.database.dump('requests/s1') ?? {}) as Record<string, RequestRecord>;
  }

  /** The types of the items of each turn's stream. */
  get streams(): Record<string, string[]> {
    const streams = (this.database.dump('streams/s1') ?? {}) as Record<string, Record<string, { type: string }>>;
    return Object.fromEntries(Object.entries(streams).map(([turnId, items]) => [turnId, Object.values(items).map(({ type }) => type)]));
  }

  async close(): Promise<void> {
    console.warn = this.warn;
    useDatabases(null);
    useSystem(null);
    useLog(null);
    await this.database.close();
  }
}

/** What a turn came to: its place in the session's bill and how long it waited, or why it was refused. */
export async function outcomeOf(turn: Promise<TurnResult>): Promise<unknown> {
  return turn.then(({ consumedDOFs, waitedMs }) => [consumedDOFs, waitedMs], (error: unknown) => (error instanceof AppError ? `${error.code} ${error.details?.reason}` : error));
}
