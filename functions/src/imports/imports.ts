import { createHash } from 'node:crypto';
import type { Timestamp } from 'firebase-admin/firestore';
import type { ProductDoc } from '../agents/schema.ts';
import { isDeleted } from '../sessions/members.ts';
import type { Role, ServerConfig, SessionConfig, SessionDoc } from '../sessions/schema.ts';
import { unwrapProduct } from '../sessions/unwrap.ts';
import type { ImportDoc, ImportedSession, ImportVerdict } from './schema.ts';

/** What stands for the agent and the product of a session that was played elsewhere. */
export const importedAgent = 'imported';

/** Most members of an imported session, its owner included: more than config/server lets any session have. */
export const maxImportedMembers = 50;

const product: ProductDoc = {
  name: 'Imported session', description: '', provider: 'gemini', voiceId: '', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, keptMedia: ['images', 'audio'], specialization: null, version: 1,
  dofRates: { frame: { standard: 0, burst: 0, continuous: 0 }, instruction: 0, audioSecond: 0, per1kTokens: { text: 0, image: 0, audio: 0, cached: 0, output: 0, reasoning: 0 }, per1kSpokenCharacters: 0 },
  active: false,
};

/** The config of imported sessions: that of a product that can nothing and costs nothing. */
export function importedConfig(server: ServerConfig): SessionConfig {
  return unwrapProduct(product, server);
}

/** SHA-256 over everything that is imported of a session. */
export function digestOf({ sessionId, ownerId, playerIds, name, startedAt, endedAt, turns, media }: ImportedSession): string {
  const parts = [
    sessionId, ownerId, playerIds, name, startedAt, endedAt,
    turns.map(({ turnId, by, at, said, reply, outcome, costDOFs }) => [turnId, by, at, said, reply, outcome, costDOFs]),
    media.map(({ file, type, mimeType, bytes, turnId, by, createdAt }) => [file, type, mimeType, bytes, turnId, by, createdAt]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** Decides what an import with this digest comes to, from the session and the import that are stored under its id. */
export function judgeImport(session: SessionDoc | null, known: ImportDoc | null, digest: string): ImportVerdict {
  if (!session) return 'create';
  if (isDeleted(session)) return 'deleted';
  if (!known) return 'taken';
  if (known.digest === digest) return 'unchanged';
  return known.version === session.version ? 'replace' : 'differs';
}

/** The document of an imported session: one that has ended, and that was settled without ever costing anything. */
export function toSessionDoc(imported: ImportedSession, config: SessionConfig, { startedAt, endedAt, version }: { startedAt: Timestamp; endedAt: Timestamp; version: number }): SessionDoc {
  const { sessionId, ownerId, playerIds, name } = imported;
  const players = playerIds.map((uid): [string, Role] => [uid, 'player']);
  return {
    sessionId, ownerId, name, config, startedAt, endedAt, version,
    members: { [ownerId]: 'owner', ...Object.fromEntries(players) },
    memberIds: [ownerId, ...playerIds],
    memberCaps: {},
    removedAt: {},
    agentInstanceId: importedAgent,
    agentProductId: importedAgent,
    priceVersion: product.version,
    settleEveryDOFs: 1_000,
    status: 'ended',
    closeReason: 'user',
    startingDOFs: 0,
    consumedDOFs: 0,
    settledDOFs: 0,
    heldDOFs: 0,
    gameContext: null,
    expiresAt: endedAt,
    generation: 1,
    settlement: 'done',
    cleanupAt: null,
    deletedAt: null,
  };
}

/** Most writes and bytes of one commit: Firestore takes 10 MiB. */
const maxCommitWrites = 400;
const maxCommitBytes = 8_000_000;

/** Documents in groups that each fit into one commit, in their order; at least one group. */
export function inCommits<T extends { data: object }>(documents: T[]): T[][] {
  const groups: T[][] = [[]];
  let bytes = 0;
  for (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document.data));
    if (groups.at(-1)!.length >= maxCommitWrites || bytes + size > maxCommitBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(document);
    bytes += size;
  }
  return groups;
}
