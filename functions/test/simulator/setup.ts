import { Timestamp } from 'firebase-admin/firestore';
import type { AgentDoc, ProductDoc, UserDoc } from '../../src/agents/schema.ts';
import { serverConfigSchema, type ServerConfig } from '../../src/sessions/schema.ts';
import type { World } from './world.ts';

/** Players of a simulation, and the agents that each of them owns. */
export const players = ['ann', 'ben'] as const;
export type Player = (typeof players)[number];
export const agentsPerPlayer = 2;
/** People who own no agent and join the sessions of players. */
export const guests = ['cat', 'dan'] as const;
export const people = [...players, ...guests];

/** The administrator whose service grants and corrects. */
export const administrator = { uid: 'root', email: null, emailVerified: false, admin: true };

/** Id of a player's agent. */
export const agentId = (player: string, index: number): string => `${player}-${index}`;

/** Small limits, so that a short history meets all of them. */
export const limits = { maxSessionsPerUser: 1, sessionTimeoutMinutes: 60, idleTimeoutMinutes: 10, turnTimeoutSeconds: 45, holdDOFs: 30, maxDOFsPerSession: 75, maxMembers: 3 };

const server: ServerConfig = serverConfigSchema.parse({
  limits, settleEveryDOFs: 20,
  endpoints: { apiBaseUrl: 'https://api.example', liveDatabaseUrl: 'https://live.example' },
  modelRouting: { gemini: { vision: 'm', chat: 'm' }, google: { vision: 'm', chat: 'm' }, openai: { vision: 'm', chat: 'm' } },
});

const product: ProductDoc = {
  name: 'Scout', description: 'Looks.', provider: 'gemini', voiceId: 'v', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, skipUnchangedBelow: 0.05, specialization: null, version: 1, active: true,
  dofRates: { frame: { standard: 4, burst: 8, continuous: 8, skipped: 1 }, instruction: 3, audioSecond: 1, per1kTokens: { text: 5, image: 1, audio: 1, cached: 1, output: 40, reasoning: 40 }, per1kSpokenCharacters: 0 },
};

/** Writes the configuration, the catalogue and players whose agents own nothing yet, in one commit past every fault. */
export function seedWorld(world: World, names: readonly string[] = players, agents = agentsPerPlayer, config: Partial<ServerConfig> = {}, rates: Partial<ProductDoc['dofRates']> = {}): Promise<unknown> {
  const process = world.processes[0] ?? world.boot();
  const createdAt = Timestamp.fromMillis(world.scheduler.now);
  const batch = world.firestore.batch();
  batch.create(world.firestore.doc('config/server'), { ...server, ...config });
  batch.create(world.firestore.doc('products/scout'), { ...product, dofRates: { ...product.dofRates, ...rates } });
  for (const name of names) {
    const user: UserDoc = { email: null, displayName: null, createdAt, activeSessions: {} };
    batch.create(world.firestore.doc(`users/${name}`), user);
    for (let index = 0; index < agents; index++) {
      const agent: AgentDoc = {
        agentInstanceId: agentId(name, index), ownerId: name, agentProductId: 'scout', productVersion: 1, purchasedAt: createdAt, customName: null,
        currentDOFs: 0, heldDOFs: 0, debtDOFs: 0, seq: 0, version: 1, lots: {}, holds: {}, dueAt: null, alertThresholds: [100],
      };
      batch.create(world.firestore.doc(`users/${name}/agents/${agent.agentInstanceId}`), agent);
    }
  }
  return world.call(process, () => batch.commit());
}
