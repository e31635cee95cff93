import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentDoc, UserDoc } from '../../functions/src/agents/schema.ts';
import type { GrantDoc, LedgerDoc } from '../../functions/src/credits/schema.ts';
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

/** A document as the seed writes it: moments are ISO strings. */
type Written<T> = { [Field in keyof T]: T[Field] extends Timestamp ? string : Timestamp extends T[Field] ? string | null : T[Field] };

/** An agent with its lots and ledger nested below it. */
export type SeedAgent = Written<AgentDoc> & { grants: Record<string, Written<GrantDoc>>; ledger: Record<string, Written<LedgerDoc>> };

/** A user with the agents nested below. */
export type SeedUser = Written<UserDoc> & { agents: Record<string, SeedAgent> };

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
