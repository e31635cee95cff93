import { isDeepStrictEqual } from 'node:util';
import type { Admin, Firestore } from '../admin.ts';
import { expandSeed, type Seed } from './seed.ts';

type Collections = Awaited<ReturnType<Firestore['listCollections']>>;

/** Writes the seed into an empty Auth and Firestore emulator. */
export async function loadSeed(admin: Admin, seed: Seed): Promise<void> {
  for (const { uid, email, password, displayName, claims } of seed.accounts) {
    await admin.auth.createUser({ uid, email, password, displayName, emailVerified: true });
    if (Object.keys(claims).length > 0) await admin.auth.setCustomUserClaims(uid, claims);
  }
  const batch = admin.firestore.batch();
  for (const { path, fields } of expandSeed(seed, admin.timestamp)) batch.create(admin.firestore.doc(path), fields);
  await batch.commit();
}

async function readDocuments(collections: Collections, found = new Map<string, object>()): Promise<Map<string, object>> {
  for (const collection of collections) {
    for (const reference of await collection.listDocuments()) {
      const snapshot = await reference.get();
      if (snapshot.exists) found.set(reference.path, snapshot.data() ?? {});
      await readDocuments(await reference.listCollections(), found);
    }
  }
  return found;
}

async function compareAccounts(admin: Admin, seed: Seed): Promise<string[]> {
  const pick = (account: { uid: string; email?: string | undefined; displayName?: string | undefined }, claims: object) => ({
    uid: account.uid, email: account.email, displayName: account.displayName, claims,
  });
  const { users } = await admin.auth.listUsers();
  const found = new Map(users.map((user) => [user.uid, pick(user, user.customClaims ?? {})]));
  const wanted = new Map(seed.accounts.map((account) => [account.uid, pick(account, account.claims)]));
  return compareMaps('account', wanted, found);
}

function compareMaps(what: string, wanted: Map<string, object>, found: Map<string, object>): string[] {
  const differing = [...wanted].filter(([key, value]) => !isDeepStrictEqual(plain(found.get(key)), plain(value)));
  const extra = [...found.keys()].filter((key) => !wanted.has(key));
  return [
    ...differing.map(([key]) => `${what} ${key} is ${found.has(key) ? 'different' : 'missing'}`),
    ...extra.map((key) => `${what} ${key} is not part of the seed`),
  ];
}

/** Two copies of the SDK build different timestamp objects; their JSON is the same. */
function plain(value: object | undefined): unknown {
  return value && JSON.parse(JSON.stringify(value));
}

/** How the accounts and documents of the emulators differ from the seed, one line each. */
export async function compareSeed(admin: Admin, seed: Seed): Promise<string[]> {
  const found = await readDocuments(await admin.firestore.listCollections());
  const wanted = new Map<string, object>(expandSeed(seed, admin.timestamp).map(({ path, fields }) => [path, fields]));
  return [...(await compareAccounts(admin, seed)), ...compareMaps('document', wanted, found)];
}
