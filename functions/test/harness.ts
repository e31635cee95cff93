import { randomUUID } from 'node:crypto';
import { deleteApp as deleteClientApp, initializeApp as initializeClientApp, type FirebaseApp } from 'firebase/app';
import { connectAuthEmulator, getAuth as getClientAuth, signInAnonymously, signInWithCustomToken } from 'firebase/auth';
import { connectDatabaseEmulator, getDatabase as getClientDatabase, onValue, ref, type Database } from 'firebase/database';
import { connectFirestoreEmulator, getFirestore as getClientFirestore, type Firestore } from 'firebase/firestore';
import { connectFunctionsEmulator, getFunctions, httpsCallable, httpsCallableFromURL, type FunctionsError, type HttpsCallable } from 'firebase/functions';
import { deleteApp, getApps } from 'firebase-admin/app';
import type { Auth } from 'firebase-admin/auth';
import type { Database as AdminDatabase } from 'firebase-admin/database';
import type { DocumentData, Firestore as AdminFirestore } from 'firebase-admin/firestore';
import type { AgentDoc, ProductDoc, UserDoc } from '../src/agents/schema.ts';
import type { LedgerDoc } from '../src/credits/schema.ts';
import { auth, db, liveDatabases } from '../src/runtime/firebase.ts';
import type { Operation } from '../src/runtime/operation.ts';
import type { operations } from '../src/operations.ts';
import type { ServerConfig } from '../src/sessions/schema.ts';
import type { z } from 'zod';
import { agentDocuments, type AgentOptions } from './agent-documents.ts';

type Operations = typeof operations;
type InputOf<Name extends keyof Operations> = Operations[Name] extends Operation<infer Input> ? z.input<Input> : never;
type OutputOf<Name extends keyof Operations> = Operations[Name] extends Operation<z.ZodType, infer Output> ? z.output<Output> : never;

const projectId = process.env['GCLOUD_PROJECT'] ?? 'demo-jiga';
export const functionsUrl = process.env['FUNCTIONS_EMULATOR_URL'] ?? 'http://127.0.0.1:5001';
export const apiUrl = `${functionsUrl}/${projectId}/us-central1/api`;
export const databaseHost = (process.env['FIREBASE_DATABASE_EMULATOR_HOST'] ?? '127.0.0.1:9000').split(':') as [string, string];
const firestoreHost = (process.env['FIRESTORE_EMULATOR_HOST'] ?? '127.0.0.1:8080').split(':') as [string, string];

/** The Admin SDK of the tests, connected to the suite. */
export function admin(): { auth: Auth; firestore: AdminFirestore; database: AdminDatabase } {
  const [database] = liveDatabases();
  if (!database) throw new Error('no Realtime Database');
  return { auth: auth(), firestore: db(), database };
}

/** A signed-in client app on the real client SDK. */
export interface Client {
  uid: string;
  idToken: () => Promise<string>;
  database: Database;
  firestore: Firestore;
  call: <Name extends keyof Operations>(name: Name, input: InputOf<Name>) => Promise<OutputOf<Name>>;
  /** Calls with whatever input, to see how bad input is answered. */
  callRaw: (name: string, input: unknown) => Promise<unknown>;
  stream: <Name extends keyof Operations>(name: Name, input: InputOf<Name>) => Promise<{ chunks: unknown[]; data: OutputOf<Name> }>;
  /** The same of an instance of the function, see deployed.ts. */
  streamAt: <Name extends keyof Operations>(instance: { url: string; target: Name }, input: InputOf<Name>) => Promise<{ chunks: unknown[]; data: OutputOf<Name> }>;
}

const clients: FirebaseApp[] = [];

/** Who signs in without saying who it is: a new account each time. */
export const nameless = Symbol('nameless');

/** A client app that is signed in as `who`, with these claims, or not at all when null; it may reach the Realtime Database another way. */
export async function clientOf(who: string | null | typeof nameless, claims: Record<string, unknown> = {}, databaseVia = databaseHost): Promise<Client> {
  const app = initializeClientApp({ apiKey: 'demo', projectId, databaseURL: `http://${databaseHost.join(':')}?ns=${projectId}-default-rtdb` }, randomUUID());
  clients.push(app);
  const clientAuth = getClientAuth(app);
  connectAuthEmulator(clientAuth, `http://${process.env['FIREBASE_AUTH_EMULATOR_HOST']}`, { disableWarnings: true });
  if (who === nameless) await signInAnonymously(clientAuth);
  else if (who !== null) await signInWithCustomToken(clientAuth, await admin().auth.createCustomToken(who, claims));
  const functions = getFunctions(app);
  const { hostname, port } = new URL(functionsUrl);
  connectFunctionsEmulator(functions, hostname, Number(port));
  const database = getClientDatabase(app);
  connectDatabaseEmulator(database, databaseVia[0], Number(databaseVia[1]));
  const firestore = getClientFirestore(app);
  connectFirestoreEmulator(firestore, firestoreHost[0], Number(firestoreHost[1]));
  const callRaw = async (name: string, input: unknown): Promise<unknown> => (await httpsCallable(functions, name)(input)).data;
  return {
    uid: clientAuth.currentUser?.uid ?? '',
    idToken: async () => (await clientAuth.currentUser?.getIdToken()) ?? '',
    database,
    firestore,
    callRaw,
    call: async (name, input) => await callRaw(name, input) as OutputOf<typeof name>,
    stream: async (name, input) => await streamOf(httpsCallable(functions, name), input) as { chunks: unknown[]; data: OutputOf<typeof name> },
    streamAt: async (instance, input) => await streamOf(httpsCallableFromURL(functions, instance.url), input) as { chunks: unknown[]; data: OutputOf<typeof instance.target> },
  };
}

async function streamOf(callable: HttpsCallable<unknown, unknown, unknown>, input: unknown): Promise<{ chunks: unknown[]; data: unknown }> {
  const { stream, data } = await callable.stream(input);
  // A call that fails rejects both: the stream is read first.
  data.catch(() => undefined);
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { chunks, data: await data };
}

/** Closes every client and the Admin SDK; for a root `after` hook. */
export async function closeClients(): Promise<void> {
  await Promise.all([...clients.splice(0).map(deleteClientApp), ...getApps().map(deleteApp)]);
}

/** A player made for one test: nobody else touches its documents. */
export interface Player extends Client {
  agentInstanceId: string;
}

/** What a test's player owns. */
export interface PlayerOptions extends AgentOptions {
  agents?: number;
}

/** Creates an account with an agent and its balance, and signs a client in. */
export async function givePlayer(options: PlayerOptions = {}): Promise<Player> {
  const uid = `player-${randomUUID().slice(0, 13)}`;
  await auth().createUser({ uid, email: `${uid}@jiga.example` });
  const ids = Array.from({ length: options.agents ?? 1 }, (_, index) => `agent-${uid}-${index}`);
  await eventually(async () => (await admin().firestore.doc(`users/${uid}`).get()).exists, 'the user document');
  for (const id of ids) await giveAgent(uid, id, options);
  return { ...await clientOf(uid), agentInstanceId: ids[0]! };
}

/** A player whose agent is an instance of a product like `like`, but for these parts. */
export async function givePlayerOf(like: string, parts: Record<string, unknown>): Promise<Player> {
  const productId = `test-${randomUUID().slice(0, 8)}`;
  await admin().firestore.doc(`products/${productId}`).create({ ...await readProduct(like), version: 1, ...parts });
  return givePlayer({ productId, dofs: 5_000 });
}

/** Gives an account an agent with its balance and ledger. */
export async function giveAgent(uid: string, agentInstanceId: string, options: PlayerOptions): Promise<void> {
  const { firestore } = admin();
  const batch = firestore.batch();
  for (const { path, data } of agentDocuments(uid, agentInstanceId, options)) batch.create(firestore.doc(path), data);
  await batch.commit();
}

/** Settings that a session freezes when it starts. */
export interface FrozenSettings {
  limits?: Partial<ServerConfig['limits']>;
  settleEveryDOFs?: number;
  modelRouting?: ServerConfig['modelRouting'];
}

/** Starts a session under other settings than those of config/server, which is as it was when this returns. */
export async function startWith(player: Player, { limits = {}, ...settings }: FrozenSettings): Promise<OutputOf<'startSession'>> {
  const server = admin().firestore.doc('config/server');
  const usual = (await server.get()).data() as ServerConfig;
  await server.set({ ...usual, ...settings, limits: { ...usual.limits, ...limits } });
  return player.call('startSession', { agentInstanceId: player.agentInstanceId }).finally(() => server.set(usual));
}

/** The document at a path; undefined when there is none. */
export async function read<T = DocumentData>(path: string): Promise<T | undefined> {
  return (await admin().firestore.doc(path).get()).data() as T | undefined;
}

/** All documents of a collection. */
export async function readAll<T = DocumentData>(path: string): Promise<T[]> {
  return (await admin().firestore.collection(path).get()).docs.map((doc) => doc.data() as T);
}

export const readUser = (uid: string): Promise<UserDoc | undefined> => read<UserDoc>(`users/${uid}`);
export const readAgent = ({ uid, agentInstanceId }: Player): Promise<AgentDoc | undefined> => read<AgentDoc>(`users/${uid}/agents/${agentInstanceId}`);
export const readProduct = (productId: string): Promise<ProductDoc | undefined> => read<ProductDoc>(`products/${productId}`);

/** Waits until `check` holds, by asking again; says what it waited for when it never does. */
export async function eventually(check: () => Promise<boolean> | boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!await check()) {
    if (Date.now() > deadline) throw new Error(`never happened within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Collects every value that a client's listener delivers for a path. */
export function watch(client: Client, path: string): { values: unknown[]; errors: Error[]; stop: () => void } {
  const values: unknown[] = [];
  const errors: Error[] = [];
  const stop = onValue(ref(client.database, path), (snapshot) => values.push(snapshot.val()), (error) => errors.push(error));
  return { values, errors, stop };
}

/** The error that a call is refused with, as the client SDK gives it: code without its prefix, and the reason. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; reason: string | undefined; message: string }> {
  try {
    await call;
  } catch (error) {
    const { code, message, details } = error as FunctionsError;
    return { code: code.replace('functions/', ''), reason: (details as { reason?: string } | undefined)?.reason, message };
  }
  throw new Error('the call was accepted');
}

/** Fires a scheduled function, which the emulator never does by itself. */
export async function fireSchedule(name: string): Promise<void> {
  const response = await fetch(`${functionsUrl}/functions/projects/${projectId}/triggers/us-central1-${name}-0`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({}),
  });
  if (!response.ok) throw new Error(`${name} answered ${response.status}: ${await response.text()}`);
}

/**
 * DOFs that the ledger, the lots (less debt) and the balance of a player's agent add up to, equal unless something is
 * wrong (I1), and what its pending holds have set aside.
 */
export async function sums(player: Player): Promise<{ ledger: number; lots: number; balance: number; held: number }> {
  const [ledger, agent] = await Promise.all([readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`), readAgent(player)]);
  if (!agent) throw new Error(`${player.agentInstanceId} is gone`);
  const held = sumOf(Object.values(agent.holds));
  if (held !== agent.heldDOFs) throw new Error(`heldDOFs is ${agent.heldDOFs}, the holds add up to ${held}`);
  return {
    ledger: sumOf(ledger),
    lots: Object.values(agent.lots).reduce((sum, { remaining }) => sum + remaining, 0) - agent.debtDOFs,
    balance: agent.currentDOFs,
    held,
  };
}

const sumOf = (values: { amount: number }[]): number => values.reduce((sum, { amount }) => sum + amount, 0);
