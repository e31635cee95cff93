import type { PubSub } from '@google-cloud/pubsub';
import type { Database } from 'firebase-admin/database';
import type { AgentDoc, UserDoc } from '../src/agents/schema.ts';
import { auditSome, agentsOf } from '../src/audit/store.ts';
import type { AgentFacts, Drift } from '../src/audit/facts.ts';
import { lapse } from '../src/credits/store-admin.ts';
import type { LedgerDoc } from '../src/credits/schema.ts';
import type { VoiceToken, VoiceTokenProvider, VoiceTokenRequest } from '../src/providers/types.ts';
import { useDatabases } from '../src/runtime/firebase.ts';
import { useLog } from '../src/runtime/log.ts';
import { useSystem } from '../src/runtime/system.ts';
import { serverConfigSchema, type SessionConfig, type SessionDoc } from '../src/sessions/schema.ts';
import { mintVoiceToken } from '../src/voice/mint.ts';
import type { MintedVoiceToken, VoiceTokenDoc } from '../src/voice/schema.ts';
import { Books } from './books.ts';
import { createMemoryFirestore, type MemoryFirestore } from './memory/firestore.ts';
import { openGate, type Gate } from './memory/io.ts';
import { assertBooks, at, moment, rates } from './money.ts';

const limits = serverConfigSchema.shape.limits.parse({ maxSessionsPerUser: 100, voiceTokensPerDay: 3 });

/** The config of a session with voice: 4 DOFs a minute. */
export function voiceConfig(parts: Partial<SessionConfig> = {}): SessionConfig {
  return {
    productName: 'Scout', provider: 'gemini', voiceId: 'Puck', rank: 'elite', highSpeedVision: false, highSpeedMode: null, toolkit: [], voiceEnabled: true, interactiveVoiceMode: true, commentaryMode: false,
    hasMemory: false, skipUnchangedBelow: null, keptMedia: [], specialization: null, endpoints: { apiBaseUrl: '', liveDatabaseUrl: '', streamCaptureUrl: null, joinUrl: null },
    modelRouting: { vision: 'm', chat: 'm', live: 'live-m' }, limits, dofRates: rates({ voiceMinute: 4 }), ...parts,
  };
}

/** A vendor that hands out `token-1`, `token-2` and so on, and remembers what it was asked for. */
export class FakeVendor implements VoiceTokenProvider {
  readonly name = 'offline';
  readonly asked: VoiceTokenRequest[] = [];
  /** What happens before it answers. */
  meanwhile: (request: VoiceTokenRequest) => Promise<unknown> = () => Promise.resolve();
  /** How much later than asked for its tokens expire, in ms. */
  laterMs = 0;

  async mint(request: VoiceTokenRequest): Promise<VoiceToken> {
    const number = this.asked.push(request);
    await this.meanwhile(request);
    return { token: `token-${number}`, url: 'wss://live.example', expiresAt: request.expiresAt + this.laterMs };
  }
}

/** Player u1 with an agent and open sessions s1, s2 and so on, on a Firestore in memory and a clock that stands still. */
export class VoiceWorld {
  readonly vendor = new FakeVendor();
  /** The documents, past the gate. */
  readonly firestore: MemoryFirestore;
  readonly logged: object[] = [];
  now = moment;
  /** What every request of the code passes. */
  gate: Gate = openGate;
  /** What waits for a moment that is far away, such as a deadline. */
  private readonly timers = new Set<() => void>();
  private ids = 0;

  constructor() {
    const gated = createMemoryFirestore({ now: () => this.now, gate: (io, apply) => this.gate(io, apply) });
    this.firestore = createMemoryFirestore({ data: gated.data });
    useDatabases({ firestore: gated, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => this.now, newId: () => `i${++this.ids}`, random: () => 0, after: (ms, act) => {
      if (ms >= 10_000) this.timers.add(act);
      else setImmediate(act);
      return () => void this.timers.delete(act);
    } });
    useLog({ info: () => undefined, warn: () => undefined, write: (entry) => void this.logged.push(entry) });
  }

  /** Lets every deadline pass. */
  deadlines(): void {
    for (const act of this.timers) act();
  }

  /** Each session holds 200 DOFs, as long as there are any. */
  async seed({ dofs = 1_000, books = new Books().grant('g', dofs), sessions = 1, config = voiceConfig() }: { dofs?: number; books?: Books; sessions?: number; config?: SessionConfig } = {}): Promise<void> {
    for (let index = 1; index <= sessions; index++) books.start(`s${index}`);
    await this.firestore.doc('users/u1').set(books.facts.user!);
    await this.write(books.facts, 'a1', config);
  }

  /** Sessions s1, s2 and so on, each with an agent of its own: a1, a2 and so on. */
  async seedApart(sessions: number): Promise<void> {
    const activeSessions: UserDoc['activeSessions'] = {};
    for (let index = 1; index <= sessions; index++) {
      activeSessions[`s${index}`] = `a${index}`;
      await this.write(new Books().grant('g', 1_000).start(`s${index}`).facts, `a${index}`, voiceConfig());
    }
    await this.firestore.doc('users/u1').set({ email: null, displayName: null, createdAt: at(moment), activeSessions });
  }

  private async write({ agent: owned, ledger, grants, sessions }: AgentFacts, agentInstanceId: string, config: SessionConfig): Promise<void> {
    const agent = this.firestore.doc(`users/u1/agents/${agentInstanceId}`);
    const batch = this.firestore.batch();
    batch.set(agent, { ...owned, agentInstanceId });
    for (const [id, entry] of Object.entries(ledger)) batch.set(agent.collection('ledger').doc(id), entry);
    for (const [id, grant] of Object.entries(grants)) batch.set(agent.collection('grants').doc(id), grant);
    for (const [id, session] of Object.entries(sessions)) batch.set(this.firestore.doc(`sessions/${id}`), { ...session, agentInstanceId, config });
    await batch.commit();
  }

  mint(requestId: string, { sessionId = 's1', minutes, uid = 'u1', callerGone = new AbortController().signal }: { sessionId?: string; minutes?: number; uid?: string; callerGone?: AbortSignal } = {}): Promise<MintedVoiceToken> {
    return mintVoiceToken({ sessionId, requestId, minutes }, { uid, callerGone, provider: () => Promise.resolve(this.vendor) });
  }

  /** The sweep at a balance. */
  lapse(): Promise<unknown> {
    return lapse({ userId: 'u1', agentInstanceId: 'a1' });
  }

  token(requestId: string, sessionId = 's1'): VoiceTokenDoc | undefined {
    return this.read(`sessions/${sessionId}/voiceTokens/${requestId}`);
  }

  session(sessionId = 's1'): SessionDoc {
    return this.read(`sessions/${sessionId}`)!;
  }

  user(): UserDoc {
    return this.read('users/u1')!;
  }

  agent(agentInstanceId = 'a1'): AgentDoc {
    return this.read(`users/u1/agents/${agentInstanceId}`)!;
  }

  ledger(agentInstanceId = 'a1'): LedgerDoc[] {
    return Object.values(this.firestore.dump(`users/u1/agents/${agentInstanceId}/ledger`)).map((entry) => entry as LedgerDoc).sort((a, b) => a.seq - b.seq);
  }

  /** Ids of the pending holds of voice tokens. */
  voiceHolds(): string[] {
    return Object.entries(this.agent().holds).filter(([, { originSessionId }]) => originSessionId !== undefined).map(([holdId]) => holdId);
  }

  /** Types of the events so far, sorted. */
  events(): string[] {
    return Object.values(this.firestore.dump('outbox')).map(({ type }) => String(type)).sort();
  }

  /** Checks that the balance, ledger and holds of an agent agree, and answers what the audit finds. */
  async drifts(agentInstanceId = 'a1'): Promise<Drift[]> {
    assertBooks(this.agent(agentInstanceId), this.ledger(agentInstanceId));
    const audits = await auditSome(await agentsOf('u1', agentInstanceId));
    return audits.flatMap(({ drifts }) => drifts);
  }

  close(): void {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  }

  private read<T>(path: string): T | undefined {
    return this.firestore.snapshotAt(path).data() as T | undefined;
  }
}
