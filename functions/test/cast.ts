import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setLogLevel } from 'firebase/app';
import { Timestamp } from 'firebase-admin/firestore';
import type { OperationDoc } from '../src/credits/schema.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, clientOf, eventually, givePlayer, nameless, read, type Client, type Player } from './harness.ts';
import { join } from './shared.ts';

/**
 * Everybody that the security rules could tell apart: the owner of the sessions, a player and a spectator of the open one,
 * somebody who was removed from it, another player, somebody who signed in anonymously, an administrator by its custom
 * claim, and somebody without any token.
 */
export const roles = ['owner', 'member', 'spectator', 'removed', 'stranger', 'nameless', 'admin', 'anonymous'] as const;
export type Role = (typeof roles)[number];

/** A player with a deleted, an ended and an open session, played for real, and the others who look at them. */
export interface Cast {
  owner: Player;
  clients: Record<Role, Client>;
  /** The open session, with one turn played. */
  sessionId: string;
  endedId: string;
  deletedId: string;
  turnId: string;
  /** An administrator's operation on the owner's balance, as the server keeps it. */
  operationId: string;
}

// The SDKs print a warning for every refusal.
setLogLevel('silent');

/** Plays the sessions and signs everybody in; nothing moves any more when it returns. */
export async function assemble(): Promise<Cast> {
  const owner = await givePlayer({ dofs: 5_000 });
  const [stranger, administrator, unnamed, anonymous] = await Promise.all([givePlayer(), signInAdmin(), clientOf(nameless), clientOf(null)]);
  const start = async () => (await owner.call('startSession', { agentInstanceId: owner.agentInstanceId })).sessionId;
  const playToTheEnd = async (): Promise<string> => {
    const sessionId = await start();
    await owner.call('endSession', { sessionId });
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
    return sessionId;
  };
  const deletedId = await playToTheEnd();
  await owner.call('deleteSession', { sessionId: deletedId });
  const endedId = await playToTheEnd();
  const sessionId = await start();
  await owner.stream('processFrame', { sessionId, requestId: 'hello', instruction: 'What do you see?' });
  const shared = { owner, sessionId, livePath: `live/${sessionId}` };
  const [member, spectator, removed] = [await join(shared), await join(shared, { role: 'spectator' }), await join(shared)];
  await owner.call('removeMember', { sessionId, userId: removed.uid });
  const unpublished = admin().firestore.collection('outbox').where('published', '==', false);
  const ours = [unpublished.where('data.userId', '==', owner.uid), unpublished.where('subject', 'in', [sessionId, endedId, deletedId])];
  await eventually(async () => (await Promise.all(ours.map((query) => query.get()))).every(({ empty }) => empty), 'every event is published');
  const streams = (await admin().database.ref(`streams/${sessionId}`).get()).val() as Record<string, object>;
  const operationId = `operation-${randomUUID()}`;
  const operation: OperationDoc = { fingerprint: 'of-its-input', result: { amount: 0 }, actor: owner.uid, createdAt: Timestamp.now() };
  await admin().firestore.doc(`operations/${operationId}`).create(operation);
  const clients = { owner, member, spectator, removed, stranger, nameless: unnamed, admin: administrator, anonymous };
  return { owner, operationId, clients, sessionId, endedId, deletedId, turnId: Object.keys(streams)[0]! };
}

/** Documents of the cast. */
export interface Paths {
  user: string;
  agent: string;
  /** The agent of the stranger. */
  strangersAgent: string;
  session: string;
  ended: string;
  deleted: string;
  /** An outbox document of the ended session. */
  event: string;
}

export async function pathsOf({ owner, clients, sessionId, endedId, deletedId }: Cast): Promise<Paths> {
  const user = `users/${owner.uid}`;
  const events = await admin().firestore.collection('outbox').where('subject', '==', endedId).limit(1).get();
  const { uid } = clients.stranger;
  const sessions = { session: `sessions/${sessionId}`, ended: `sessions/${endedId}`, deleted: `sessions/${deletedId}` };
  return { user, agent: `${user}/agents/${owner.agentInstanceId}`, strangersAgent: `users/${uid}/agents/agent-${uid}-0`, ...sessions, event: `outbox/${events.docs[0]!.id}` };
}

async function signInAdmin(): Promise<Client> {
  const uid = `admin-${randomUUID()}`;
  await admin().auth.createUser({ uid });
  await admin().auth.setCustomUserClaims(uid, { admin: true });
  const client = await clientOf(uid);
  const claims = JSON.parse(Buffer.from((await client.idToken()).split('.')[1]!, 'base64url').toString()) as { admin?: boolean };
  assert.equal(claims.admin, true);
  return client;
}

/** The roles for which `attempt` succeeds; any failure but a refusal by the rules is an error. */
export async function admitted(cast: Cast, attempt: (client: Client) => Promise<unknown>): Promise<Role[]> {
  const verdicts = await Promise.all(roles.map(async (role) => ({ role, refused: await isRefused(attempt(cast.clients[role])) })));
  return verdicts.filter(({ refused }) => !refused).map(({ role }) => role);
}

async function isRefused(attempt: Promise<unknown>): Promise<boolean> {
  try {
    await attempt;
    return false;
  } catch (error) {
    // Firestore says `permission-denied`; the Realtime Database PERMISSION_DENIED, or only that in words, or `maxretry`:
    // a transaction on a place that it cannot read never gets to know the value that it has to change.
    const { code, message } = error as { code?: string; message: string };
    if (!/^(permission[-_ ]denied|maxretry)$/i.test(code ?? message)) throw error;
    return true;
  }
}
