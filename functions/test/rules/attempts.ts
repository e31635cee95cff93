import { admitted, type Cast, type Role } from '../cast.ts';
import { databaseHost, type Client } from '../harness.ts';

/** Something that a client does past the functions, and that the rules allow or refuse. */
export type Attempt = (client: Client) => Promise<unknown>;

/** Attempts by what they are, each with those who may. */
export type Cases = Record<string, [attempt: Attempt, by: readonly Role[]]>;

/** Attempts by what they are, which nobody may. */
export type Attacks = Record<string, Attempt>;

/** Who could, by attempt: everybody of the cast tries each. */
export async function whoCould(cast: Cast, attempts: Attacks): Promise<Record<string, Role[]>> {
  const could: Record<string, Role[]> = {};
  for (const [what, attempt] of Object.entries(attempts)) {
    could[what] = await admitted(cast, attempt).catch((error: unknown) => {
      throw new Error(`${what}: neither allowed nor refused`, { cause: error });
    });
  }
  return could;
}

/** The attempts of cases, and who of the cast may. */
export function attemptsOf(cases: Cases): Attacks {
  return Object.fromEntries(Object.entries(cases).map(([what, [attempt]]) => [what, attempt]));
}

/** What `whoCould` has to answer for cases. */
export function allowedBy(cases: Cases): Record<string, readonly Role[]> {
  return Object.fromEntries(Object.entries(cases).map(([what, [, by]]) => [what, by]));
}

/** What `whoCould` has to answer for attacks. */
export function refusedToAll(attacks: Attacks): Record<string, Role[]> {
  return Object.fromEntries(Object.keys(attacks).map((what) => [what, []]));
}

const projectId = process.env['GCLOUD_PROJECT'] ?? 'demo-jiga';
const firestoreUrl = `http://${process.env['FIRESTORE_EMULATOR_HOST']}`;
const databaseUrl = `http://${databaseHost.join(':')}`;

/** Where Firestore's REST interface has the documents. */
export const documentsUrl = `${firestoreUrl}/v1/projects/${projectId}/databases/(default)/documents`;
/** The name of a document in Firestore's REST interface. */
export const documentName = (path: string): string => `projects/${projectId}/databases/(default)/documents/${path}`;

/** The address of something in the Realtime Database's REST interface, such as `live/s1.json`. */
export const databaseAddress = (path: string, parameters: Record<string, string> = {}): string => `${databaseUrl}/${path}?${new URLSearchParams({ ns: `${projectId}-default-rtdb`, ...parameters }).toString()}`;

/** One request with a client's ID token, or without any. Fails as the SDKs do when it is refused. */
export async function request(client: Client, url: string, method: string, body?: object): Promise<void> {
  const token = await client.idToken();
  const response = await fetch(url, { method, headers: token ? { authorization: `Bearer ${token}` } : {}, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await response.text();
  if (response.ok) return;
  throw Object.assign(new Error(`${method} ${url}: ${response.status} ${text}`), [401, 403].includes(response.status) ? { code: 'permission-denied' } : {});
}

const asOwner = { authorization: 'Bearer owner' };

async function text(url: string): Promise<string> {
  return (await fetch(url, { headers: asOwner })).text();
}

/** Documents as the server writes them down, with the moments of their last change, by path. */
export async function documentsAt(paths: readonly string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await text(`${documentsUrl}/${path}`)] as const)));
}

/** Values of the Realtime Database as the server writes them down, with their priorities, by path. */
export async function valuesAt(paths: readonly string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await text(databaseAddress(`${path}.json`, { format: 'export' }))] as const)));
}

async function put(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: 'PUT', headers: { ...asOwner, 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`);
}

/** The coverage report of Firestore's rules. */
export async function firestoreReport(): Promise<string> {
  return text(`${firestoreUrl}/emulator/v1/projects/${projectId}:ruleCoverage`);
}

/** The coverage report of the Realtime Database's rules. */
export async function databaseReport(): Promise<string> {
  return text(databaseAddress('.inspect/coverage.json'));
}

/** Loads Firestore's rules again: their coverage begins anew. */
export async function reloadFirestoreRules(): Promise<void> {
  const { rules } = JSON.parse(await firestoreReport()) as { rules: object };
  await put(`${firestoreUrl}/emulator/v1/projects/${projectId}:securityRules`, JSON.stringify({ rules }));
}

/** Loads the Realtime Database's rules again: their coverage begins anew. */
export async function reloadDatabaseRules(): Promise<void> {
  await put(databaseAddress('.settings/rules.json'), await text(databaseAddress('.settings/rules.json')));
}

/**
 * Points the triggers of the database at another place; answers how to point them back. Rules are tried with many
 * connections, and the emulator starts a process for each that comes and goes.
 */
export async function muteTriggers(): Promise<() => Promise<void>> {
  const url = `${databaseUrl}/.settings/functionTriggers.json`;
  const triggers = JSON.parse(await text(url)) as object[];
  const point = (to: object[]): Promise<void> => put(url, JSON.stringify(to));
  await point(triggers.map((trigger) => ({ ...trigger, namespacePattern: 'nowhere' })));
  return () => point(triggers);
}
