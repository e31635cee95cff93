import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMULATOR_DATA } from '../paths.ts';

/** An account of the Auth emulator. */
export interface SeedAccount {
  uid: string;
  email: string;
  password: string;
  displayName: string;
  claims: Record<string, unknown>;
}

/** A lot of DOFs as the seed writes it; moments are ISO strings. */
export interface SeedGrant {
  source: string;
  amount: number;
  remaining: number;
  priority: number;
  expiresAt: string | null;
  createdAt: string;
}

/** A ledger entry as the seed writes it. */
export interface SeedLedgerEntry {
  type: 'grant' | 'settlement';
  amount: number;
  balanceAfter: number;
  operationId: string;
  grantId?: string;
  sessionId?: string;
  lots: { grantId: string; amount: number }[];
  createdAt: string;
  seq: number;
}

/** An agent with its lots and ledger nested below it. */
export interface SeedAgent {
  agentInstanceId: string;
  ownerId: string;
  agentProductId: string;
  productVersion: number;
  purchasedAt: string;
  customName: string | null;
  currentDOFs: number;
  heldDOFs: number;
  debtDOFs: number;
  seq: number;
  version: number;
  grants: Record<string, SeedGrant>;
  ledger: Record<string, SeedLedgerEntry>;
}

/** A user with the agents nested below. */
export interface SeedUser {
  email: string;
  displayName: string;
  createdAt: string;
  activeSessions: Record<string, string>;
  agents: Record<string, SeedAgent>;
}

/** The content of emulator-data/seed. */
export interface Seed {
  accounts: SeedAccount[];
  config: Record<string, object>;
  products: Record<string, { name: string; provider: string; rank: string; version: number }>;
  users: Record<string, SeedUser>;
}

/** A Firestore document: its path and fields. */
export interface SeedDocument {
  path: string;
  fields: Record<string, unknown>;
}

/** Fields whose ISO string becomes a Firestore timestamp. */
const MOMENTS = new Set(['createdAt', 'purchasedAt', 'expiresAt']);

/** Reads the seed's files. */
export function readSeed(folder = join(EMULATOR_DATA, 'seed')): Seed {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  return { accounts: read('accounts'), config: read('config'), products: read('products'), users: read('users') } as Seed;
}

function toDocument(path: string, value: object, toMoment: (date: Date) => unknown): SeedDocument {
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => [
    name,
    MOMENTS.has(name) && typeof field === 'string' ? toMoment(new Date(field)) : field,
  ]);
  return { path, fields: Object.fromEntries(fields) as Record<string, unknown> };
}

/** Every document of the seed, nested collections unfolded; `toMoment` builds the database's timestamps. */
export function expandSeed(seed: Seed, toMoment: (date: Date) => unknown): SeedDocument[] {
  const document = (path: string, value: object) => toDocument(path, value, toMoment);
  const collection = (path: string, values: Record<string, object>) => Object.entries(values).map(([id, value]) => document(`${path}/${id}`, value));
  const documents = [...collection('config', seed.config), ...collection('products', seed.products)];
  for (const [uid, { agents, ...user }] of Object.entries(seed.users)) {
    documents.push(document(`users/${uid}`, user));
    for (const [id, { grants, ledger, ...agent }] of Object.entries(agents)) {
      const path = `users/${uid}/agents/${id}`;
      documents.push(document(path, agent), ...collection(`${path}/grants`, grants), ...collection(`${path}/ledger`, ledger));
    }
  }
  return documents;
}
