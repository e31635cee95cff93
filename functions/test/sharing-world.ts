import type { PubSub } from '@google-cloud/pubsub';
import type { z } from 'zod';
import { openLive } from '../src/live/store.ts';
import type { Caller } from '../src/runtime/caller.ts';
import { useDatabases } from '../src/runtime/firebase.ts';
import { useLog } from '../src/runtime/log.ts';
import { runOperation, type Operation } from '../src/runtime/operation.ts';
import { useSystem } from '../src/runtime/system.ts';
import { serverConfigSchema, type ServerConfig, type SessionDoc } from '../src/sessions/schema.ts';
import { newSession } from '../src/sessions/start.ts';
import type { InviteDoc, InviteRole } from '../src/sharing/schema.ts';
import { toInvite } from '../src/sharing/sharing.ts';
import { createInvite } from '../src/sharing/store.ts';
import { createMemoryDatabase, type MemoryDatabase } from './memory/database.ts';
import { createMemoryFirestore, type MemoryFirestore } from './memory/firestore.ts';
import { openGate, type Gate } from './memory/io.ts';
import { agent, at, lot, moment, rates } from './money.ts';

const model = { vision: 'm', chat: 'm' };
const product = {
  name: 'Scout', description: '', provider: 'gemini', voiceId: 'v', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, specialization: null, version: 1,
  dofRates: rates({ instruction: 1 }), active: true,
} as const;

/** Somebody with this uid, whose address nobody has verified. */
export function guest(uid: string, parts: Partial<Caller> = {}): Caller {
  return { uid, email: null, emailVerified: false, admin: false, ...parts };
}

/** A session that was just started by u1. */
export function freshSession({ sessionId = 's1', startedAt = moment, limits = {}, endpoints = {} }: { sessionId?: string; startedAt?: number; limits?: Partial<ServerConfig['limits']>; endpoints?: Partial<ServerConfig['endpoints']> } = {}): SessionDoc {
  const server = serverConfigSchema.parse({ limits, endpoints: { apiBaseUrl: '', liveDatabaseUrl: 'https://live.example', ...endpoints }, modelRouting: { gemini: model, google: model, openai: model } });
  return newSession(agent({ lots: { g: lot(100) } }), { ...product, toolkit: [] }, server, { sessionId, ownerId: 'u1', gameContext: { platform: 'pc' }, startedAt: at(startedAt), expiresAt: at(startedAt + 4 * 3_600_000) });
}

/** Player u1 with the open session s1, on databases in memory and a clock that stands still. */
export class SharingWorld {
  /** The documents, past the gate. */
  readonly firestore: MemoryFirestore;
  readonly database: MemoryDatabase = createMemoryDatabase({ gate: (io, apply) => this.databaseGate(io, apply) });
  readonly logged: object[] = [];
  now = moment;
  /** What every request of the code to Firestore passes. */
  gate: Gate = openGate;
  /** The same for the Realtime Database. */
  databaseGate: Gate = openGate;
  private ids = 0;

  constructor() {
    const gated = createMemoryFirestore({ now: () => this.now, gate: (io, apply) => this.gate(io, apply) });
    this.firestore = createMemoryFirestore({ data: gated.data });
    useDatabases({ firestore: gated, live: this.database, pubsub: undefined as unknown as PubSub });
    useSystem({
      now: () => this.now, newId: () => `i${++this.ids}`, newSecret: () => String(++this.ids).padStart(32, 'x'), random: () => 0,
      after: (_ms, act) => { setImmediate(act); return () => undefined; },
    });
    useLog({ info: (message, about) => void this.logged.push({ message, ...about }), warn: (message, about) => void this.logged.push({ message, ...about }), write: (entry) => void this.logged.push(entry) });
  }

  /** Puts a session there, with the live state that its start opens. */
  async seed(session: SessionDoc = freshSession()): Promise<void> {
    await this.firestore.doc('users/u1').set({ email: null, displayName: null, createdAt: at(moment), activeSessions: { [session.sessionId]: 'a1' } });
    await this.firestore.doc(`sessions/${session.sessionId}`).set(session);
    await openLive(session);
  }

  /** Lets the commits from now on meet these fates, in their order; what comes after them passes. */
  commitsMeet(...fates: Gate[]): void {
    this.gate = (io, apply) => (io.kind === 'commit' ? fates.shift() ?? openGate : openGate)(io, apply);
  }

  /** Lets somebody be faster: acts right before the next commit arrives. */
  overtake(act: () => Promise<unknown>): void {
    this.commitsMeet(async (_io, apply) => {
      await act();
      return apply();
    });
  }

  /** An invite of u1: its id and what the invited person is given. */
  async invite({ role = 'player', sessionId = 's1', ttlMinutes = 60, ...parts }: { role?: InviteRole; sessionId?: string; ttlMinutes?: number; email?: string; capDOFs?: number } = {}): Promise<{ inviteId: string; text: string }> {
    const { invite: { inviteId }, secret } = await createInvite('u1', { role, sessionId, ttlMinutes, ...parts });
    return { inviteId, text: toInvite(sessionId, secret) };
  }

  /** Calls an operation as the callables and the REST API do. */
  async call<Input extends z.ZodType, Output extends z.ZodType>(op: Operation<Input, Output>, input: z.input<Input>, caller: Caller): Promise<z.output<Output>> {
    return await runOperation(op, input, caller, { emit: () => undefined, signal: new AbortController().signal }) as z.output<Output>;
  }

  session(sessionId = 's1'): SessionDoc {
    return this.firestore.snapshotAt(`sessions/${sessionId}`).data() as SessionDoc;
  }

  stored(inviteId: string, sessionId = 's1'): InviteDoc | undefined {
    return this.firestore.snapshotAt(`sessions/${sessionId}/invites/${inviteId}`).data() as InviteDoc | undefined;
  }

  /** Members as the security rules of the live state see them. */
  liveMembers(sessionId = 's1'): unknown {
    return this.database.dump(`live/${sessionId}/members`);
  }

  /** The events so far as `sequence type`, as they happened. */
  events(sessionId = 's1'): string[] {
    const events = Object.values(this.firestore.dump('outbox')).filter(({ subject }) => subject === sessionId) as { sequence: number; type: string }[];
    return events.sort((a, b) => a.sequence - b.sequence).map(({ sequence, type }) => `${sequence} ${type.replace('session.', '')}`);
  }

  async close(): Promise<void> {
    useDatabases(null);
    useSystem(null);
    useLog(null);
    await this.database.close();
  }
}
