import assert from 'node:assert/strict';
import { PubSub, type Message } from '@google-cloud/pubsub';
import type { FunctionsError } from 'firebase/functions';
import { admin, functionsUrl, read, readAll, type Player } from './harness.ts';

const projectId = process.env['GCLOUD_PROJECT'] ?? 'demo-jiga';

/** An error as the client SDK gives it, whole: code without its prefix, message and details. */
export async function refusedWith(call: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }> {
  try {
    await call;
  } catch (error) {
    const { code, message, details } = error as FunctionsError;
    return { code: String(code).replace('functions/', ''), message, details };
  }
  throw new Error('the call was accepted');
}

/** An HTTP answer as it came over the wire. */
export interface WireAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** Calls a callable by its wire protocol, for bodies that the client SDK would not send; `data` is JSON text. */
export async function callWire(name: string, data: string, idToken = ''): Promise<WireAnswer> {
  const response = await fetch(`${functionsUrl}/${projectId}/us-central1/${name}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(idToken === '' ? {} : { authorization: `Bearer ${idToken}` }) }, body: `{"data":${data}}`,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Everything that a session's money and state consist of; two equal snapshots mean that nothing was charged or written. */
export async function snapshotOf(player: Player, sessionId: string): Promise<Record<string, unknown>> {
  const { firestore, database } = admin();
  const agents = (await firestore.collection(`users/${player.uid}/agents`).get()).docs;
  const nested = await Promise.all(agents.flatMap(({ ref: { path } }) => [readAll(`${path}/grants`), readAll(`${path}/ledger`), readAll(`${path}/holds`)]));
  const subjects = [sessionId, player.uid, ...agents.map(({ id }) => `${player.uid}:${id}`)];
  const [user, sessions, checkpoints, outbox, ...live] = await Promise.all([
    read(`users/${player.uid}`),
    firestore.collection('sessions').where('ownerId', '==', player.uid).get(),
    readAll(`sessions/${sessionId}/checkpoints`),
    firestore.collection('outbox').where('subject', 'in', subjects).get(),
    ...['meters', 'requests', 'live', 'streams'].map((root) => database.ref(`${root}/${sessionId}`).get()),
  ]);
  const [meter, requests, shown, streams] = live.map((snapshot) => snapshot.val() as unknown);
  return {
    user, agents: agents.map((doc) => doc.data()), nested, sessions: sessions.docs.map((doc) => doc.data()), checkpoints, outbox: outbox.docs.map(({ id }) => id).sort(), meter, requests, live: shown, streams,
  };
}

/** Every document there is, whatever its collection: `path JSON`. A query that names no collection is how the SDKs delete recursively. */
export async function dumpFirestore(): Promise<string[]> {
  const root = `projects/${process.env['GCLOUD_PROJECT']}/databases/(default)/documents`;
  const response = await fetch(`http://${process.env['FIRESTORE_EMULATOR_HOST']}/v1/${root}:runQuery`, {
    method: 'POST', headers: { authorization: 'Bearer owner' }, body: JSON.stringify({ structuredQuery: { from: [{ allDescendants: true }] } }),
  });
  assert.equal(response.status, 200);
  const answers = await response.json() as { document?: { name: string; fields?: object } }[];
  return answers.flatMap(({ document }) => (document ? [`${document.name.slice(root.length + 1)} ${JSON.stringify(document.fields)}`] : []));
}

/** All of the Realtime Database, as JSON. */
export async function dumpDatabase(): Promise<string> {
  const response = await fetch(`http://${process.env['FIREBASE_DATABASE_EMULATOR_HOST']}/.json?ns=${process.env['GCLOUD_PROJECT']}-default-rtdb`, { headers: { authorization: 'Bearer owner' } });
  assert.equal(response.status, 200);
  return response.text();
}

/** Collects everything that is published from now on; answers how to stop. `name` keeps listeners apart. */
export async function listenToTopics(name: string, messages: Message[]): Promise<() => Promise<unknown>> {
  const client = new PubSub({ projectId });
  for (const topicName of ['agent-events', 'transaction-events', 'session-events', 'notification-events']) {
    const [topic] = await client.topic(topicName).get({ autoCreate: true });
    const [subscription] = await topic.createSubscription(`${name}-${Date.now()}-${topicName}`);
    subscription.on('message', (message: Message) => {
      messages.push(message);
      message.ack();
    });
  }
  return () => client.close();
}
