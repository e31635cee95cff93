import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentDoc, ProductDoc, UserDoc } from '../../functions/src/agents/schema.ts';
import type { CheckpointDoc, GrantDoc, LedgerDoc, ResolvedHoldDoc } from '../../functions/src/credits/schema.ts';
import type { ServerConfig, SessionDoc } from '../../functions/src/sessions/schema.ts';
import { unwrapProduct } from '../../functions/src/sessions/unwrap.ts';
import type { Timestamp } from '../admin.ts';
import { EMULATOR_DATA } from '../paths.ts';

/** An account of the Auth emulator. */
export interface SeedAccount {
  uid: string;
  email: string;
  password: string;
  displayName: string;
  claims: Record<string, unknown>;
}

/** A value as the seed writes it: moments are ISO strings, at any depth. */
export type Written<T> = T extends Timestamp ? string : T extends object ? { [Field in keyof T]: Written<T[Field]> } : T;

/** An agent with the documents nested below it; `resolvedHolds` are its `holds` collection, whose name the pending ones have. */
export type SeedAgent = Written<AgentDoc> & {
  grants: Record<string, Written<GrantDoc>>;
  ledger: Record<string, Written<LedgerDoc>>;
  resolvedHolds: Record<string, Written<ResolvedHoldDoc>>;
};

/** A user with the agents nested below. */
export type SeedUser = Written<UserDoc> & { agents: Record<string, SeedAgent> };

/** A session with its checkpoints; its config is what its product unwraps to. */
export type SeedSession = Written<Omit<SessionDoc, 'config'>> & { checkpoints: Record<string, Written<CheckpointDoc>> };

/** The content of emulator-data/seed. */
export interface Seed {
  accounts: SeedAccount[];
  config: { server: ServerConfig };
  products: Record<string, ProductDoc>;
  users: Record<string, SeedUser>;
  sessions: Record<string, SeedSession>;
}

/** A Firestore document: its path and fields. */
export interface SeedDocument {
  path: string;
  fields: Record<string, unknown>;
}

/** Fields whose ISO string becomes a Firestore timestamp, wherever they stand. */
const MOMENTS = new Set(['cleanupAt', 'createdAt', 'dueAt', 'endedAt', 'expiresAt', 'firstAt', 'lastAt', 'purchasedAt', 'resolvedAt', 'startedAt']);

/** Reads the seed's files. */
export function readSeed(folder = join(EMULATOR_DATA, 'seed')): Seed {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  return { accounts: read('accounts'), config: read('config'), products: read('products'), users: read('users'), sessions: read('sessions') } as Seed;
}

function withMoments(value: object, toMoment: (date: Date) => unknown): Record<string, unknown> {
  const convert = (name: string, field: unknown): unknown => {
    if (typeof field === 'string') return MOMENTS.has(name) ? toMoment(new Date(field)) : field;
    if (Array.isArray(field)) return field.map((item) => convert('', item));
    return typeof field === 'object' && field !== null ? withMoments(field, toMoment) : field;
  };
  return Object.fromEntries(Object.entries(value).map(([name, field]: [string, unknown]) => [name, convert(name, field)]));
}

/** Every document of the seed, nested collections unfolded; `toMoment` builds the database's timestamps. */
export function expandSeed(seed: Seed, toMoment: (date: Date) => unknown): SeedDocument[] {
  const document = (path: string, value: object): SeedDocument => ({ path, fields: withMoments(value, toMoment) });
  const collection = (path: string, values: Record<string, object>) => Object.entries(values).map(([id, value]) => document(`${path}/${id}`, value));
  const documents = [...collection('config', seed.config), ...collection('products', seed.products)];
  for (const [uid, { agents, ...user }] of Object.entries(seed.users)) {
    documents.push(document(`users/${uid}`, user));
    for (const [id, { grants, ledger, resolvedHolds, ...agent }] of Object.entries(agents)) {
      const path = `users/${uid}/agents/${id}`;
      documents.push(document(path, agent), ...collection(`${path}/grants`, grants), ...collection(`${path}/ledger`, ledger), ...collection(`${path}/holds`, resolvedHolds));
    }
  }
  for (const [id, { checkpoints, ...session }] of Object.entries(seed.sessions)) {
    const path = `sessions/${id}`;
    const product = seed.products[session.agentProductId];
    if (!product) throw new Error(`${path}: there is no product ${session.agentProductId}`);
    documents.push(document(path, { ...session, config: unwrapProduct(product, seed.config.server) }), ...collection(`${path}/checkpoints`, checkpoints));
  }
  return documents;
}
