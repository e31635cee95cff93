import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProductDoc } from '../../../functions/src/agents/schema.ts';
import type { ServerConfig } from '../../../functions/src/sessions/schema.ts';
import { agentDocuments, type NewDocument } from '../../../functions/test/agent-documents.ts';
import { Timestamp } from '../../../functions/test/sdk.ts';
import { connectAdmin, type Admin, type Firestore } from '../../admin.ts';
import type { Suite } from '../../emulators/suite.ts';
import { ROOT } from '../../paths.ts';
import { readSeed } from '../../seed/seed.ts';
import type { Tokens } from './tokens.ts';

/** The product of every benchmark: a vendor is asked, nothing is spoken, remembered or looked up. */
export const productId = 'bench-rookie';
/** DOFs of an agent that nobody said otherwise of: more than a benchmark consumes. */
const plenty = 1_000_000;
/** Most writes of one commit. */
const writesPerCommit = 400;

/** Somebody with an agent. */
export interface Player {
  uid: string;
  agentInstanceId: string;
  idToken: string;
}

/** One project on the emulators, with configuration and catalogue. Benchmarks that must not see each other's data have one each. */
export interface Project {
  readonly id: string;
  readonly firestore: Firestore;
  /** Makes players with an agent each. */
  players: (count: number, dofs?: number) => Promise<Player[]>;
  /** Creates documents, some hundred at a time. */
  create: (documents: NewDocument[]) => Promise<void>;
  /** Writes paths of the Realtime Database in one update. */
  patchLive: (values: Record<string, unknown>) => Promise<void>;
  /** What stands at a path of the Realtime Database. */
  readLive: (path: string) => Promise<unknown>;
  /** Changes the server configuration, for sessions that start afterwards. */
  configure: (change: (server: ServerConfig) => ServerConfig) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Configuration and catalogue of every benchmark. Models answer in one piece: the gateway that P3 compares with fails on
 * streams, and all sides are to do the same.
 */
export function catalogue(): { config: ServerConfig; product: ProductDoc } {
  const { config: { server }, products } = readSeed();
  return {
    config: { ...server, modelRouting: { ...server.modelRouting, openai: { ...server.modelRouting.openai, stream: false, fallbacks: [] } } },
    product: { ...products['openai-rookie']!, toolkit: [], hasVoiceChat: false },
  };
}

/** The configuration under which models are asked for streams, as they are by default. */
export function streaming({ modelRouting, ...server }: ServerConfig): ServerConfig {
  return { ...server, modelRouting: { ...modelRouting, openai: { ...modelRouting.openai, stream: true } } };
}

/** The documents of a player. */
export function playerDocuments({ uid, agentInstanceId }: Pick<Player, 'uid' | 'agentInstanceId'>, dofs = plenty): NewDocument[] {
  return [
    { path: `users/${uid}`, data: { email: null, displayName: null, createdAt: Timestamp.now(), activeSessions: {} } },
    ...agentDocuments(uid, agentInstanceId, { dofs, productId }),
  ];
}

/** Prepares a project. */
export async function openProject({ env, urls }: Pick<Suite, 'env' | 'urls'>, id: string, tokens: Tokens): Promise<Project> {
  const admin: Admin = connectAdmin(env, { projectId: id, accounts: false });
  const { firestore } = admin;
  const { config, product } = catalogue();
  await Promise.all([firestore.doc('config/server').set(config), firestore.doc(`products/${productId}`).set(product)]);
  const namespace = `ns=${id}-default-rtdb`;
  const database = async (path: string, query = '', init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(`${urls.database}/${path}.json?${namespace}${query}`, { ...init, headers: { authorization: 'Bearer owner', 'content-type': 'application/json' } });
    if (!answer.ok) throw new Error(`${path} of the Realtime Database answered ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  };
  await database('.settings/rules', '', { method: 'PUT', body: readFileSync(join(ROOT, 'database.rules.json'), 'utf8') });
  const create = async (documents: NewDocument[]): Promise<void> => {
    for (let begin = 0; begin < documents.length; begin += writesPerCommit) {
      const batch = firestore.batch();
      for (const { path, data } of documents.slice(begin, begin + writesPerCommit)) batch.set(firestore.doc(path), data);
      await batch.commit();
    }
  };
  return {
    id,
    firestore,
    create,
    players: async (count, dofs = plenty) => {
      const players = Array.from({ length: count }, (): Player => {
        const uid = `player-${randomUUID().slice(0, 13)}`;
        return { uid, agentInstanceId: `agent-${uid}`, idToken: tokens.idToken(uid, id) };
      });
      await create(players.flatMap((player) => playerDocuments(player, dofs)));
      return players;
    },
    patchLive: async (values) => void await database('', '&print=silent', { method: 'PATCH', body: JSON.stringify(values) }),
    readLive: (path) => database(path),
    configure: async (change) => void await firestore.doc('config/server').set(change(config)),
    close: () => admin.close(),
  };
}
