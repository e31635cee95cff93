import { randomUUID } from 'node:crypto';
import { Timestamp, type DocumentReference } from 'firebase-admin/firestore';
import type { AgentDoc, ProductDoc, UserDoc } from '../src/agents/schema.ts';
import type { HoldDoc, ResolvedHoldDoc } from '../src/credits/schema.ts';
import { openLive } from '../src/live/store.ts';
import type { MediaDoc } from '../src/media/schema.ts';
import type { MemoryDoc } from '../src/memory/schema.ts';
import { serverConfigSchema, type SessionDoc } from '../src/sessions/schema.ts';
import { newSession } from '../src/sessions/start.ts';
import type { InviteDoc } from '../src/sharing/schema.ts';
import { inviteIdOf, newInvite, toInvite } from '../src/sharing/sharing.ts';
import { people, type Person, type Place, type Target } from './access-rules.ts';
import { admin, giveAgent, read, readProduct } from './harness.ts';

/** People and what they own, made for a few calls: nobody else touches it. */
export interface Stage {
  uids: Record<Person, string>;
  /** The accounts that the stage knows, the one of the foreign target included. */
  accounts: string[];
  places: Record<Target, Omit<Place, 'key'>>;
}

/** With voice chat, which is the most that there is to refuse. */
const productId = 'gemini-legend';

/** Sets a stage, in the state that its own operations would leave, but without their events. Without a foreign household, its target is one more that is missing. */
export async function setStage({ foreign: withForeign = true } = {}): Promise<Stage> {
  const id = randomUUID().slice(0, 13);
  const uids = Object.fromEntries(people.map((person) => [person, `${person}-${id}`])) as Stage['uids'];
  const stranger = `stranger-${id}`;
  const [own, foreign] = await Promise.all([
    settle(uids.owner, { members: { [uids.player]: 'player', [uids.spectator]: 'spectator' }, removed: uids.removed, email: null }),
    withForeign ? settle(stranger, { members: { [`${stranger}-friend`]: 'player' }, removed: `${stranger}-former`, email: 'somebody@jiga.example' }) : null,
  ]);
  const accounts = [...Object.values(uids), stranger];
  await Promise.all(accounts.map((uid) => admin().firestore.doc(`users/${uid}`).set(userOf(uid === uids.owner ? own.open : uid === stranger && foreign ? foreign.open : null))));
  const missing = { ...own.open, userId: `nobody-${id}`, agentInstanceId: `none-${id}`, sessionId: `none-${id}`, invite: toInvite(`none-${id}`, newText()), holdId: 'none', grantId: 'none' };
  return { uids, accounts, places: { own: own.open, foreign: foreign?.open ?? missing, missing, ended: own.ended } };
}

interface Household {
  members: SessionDoc['members'];
  removed: string;
  /** Whom its invites are for. */
  email: string | null;
}

/** Gives somebody an agent with an open session and one that has ended. */
async function settle(userId: string, household: Household): Promise<Record<'open' | 'ended', Stage['places']['own']>> {
  const agentInstanceId = `agent-${userId}`;
  const place = { userId, agentInstanceId, memberId: Object.keys(household.members)[0]!, memoryId: 'memory', file: 'turn.jpg', grantId: 'lot-1', inviteId: '', invite: '' };
  const open = { ...place, sessionId: `open-${userId}`, holdId: 'pending' };
  const ended = { ...place, sessionId: `ended-${userId}`, holdId: 'released' };
  await giveAgent(userId, agentInstanceId, { productId, lots: [{ amount: 10_000 }, { amount: 500 }] });
  const sessions = await Promise.all([writeSession(open, household, 'active'), writeSession(ended, household, 'ended')]);
  await Promise.all([writeHolds(open, sessions[0].session), admin().firestore.doc(`users/${userId}/agents/${agentInstanceId}/memories/memory`).set(memoryOf(open))]);
  return { open: { ...open, ...sessions[0].invited }, ended: { ...ended, ...sessions[1].invited } };
}

async function writeSession({ userId, agentInstanceId, sessionId }: Stage['places']['own'], { members, removed, email }: Household, status: SessionDoc['status']): Promise<{ session: SessionDoc; invited: Pick<Place, 'invite' | 'inviteId'> }> {
  const { firestore } = admin();
  const [agent, product, server] = await Promise.all([read<AgentDoc>(`users/${userId}/agents/${agentInstanceId}`), readProduct(productId), read('config/server')]);
  const at = Date.now();
  const moment = (minutes: number): Timestamp => Timestamp.fromMillis(at + minutes * 60_000);
  const started = newSession(agent!, product as ProductDoc, serverConfigSchema.parse(server), { sessionId, ownerId: userId, gameContext: null, startedAt: moment(-5), expiresAt: moment(200) });
  const shared: SessionDoc = { ...started, members: { ...started.members, ...members }, memberIds: [...started.memberIds, ...Object.keys(members)], removedAt: { [removed]: moment(-1) } };
  const session: SessionDoc = status === 'active' ? shared : { ...shared, status, closeReason: 'user', endedAt: moment(0), heldDOFs: 0, settlement: 'done' };
  const secret = newText();
  const inviteId = inviteIdOf(secret);
  const invite: InviteDoc = newInvite({ role: 'player', email, capDOFs: null, createdBy: userId, createdAt: moment(-2), expiresAt: moment(60) });
  const media: MediaDoc = { file: 'turn.jpg', type: 'images', mimeType: 'image/jpeg', bytes: 1, turnId: 'turn', by: userId, createdAt: moment(-1) };
  const ref = firestore.doc(`sessions/${sessionId}`);
  const batch = firestore.batch();
  batch.create(ref, session);
  batch.create(ref.collection('invites').doc(inviteId), invite);
  batch.create(ref.collection('media').doc(media.file), media);
  await batch.commit();
  if (status === 'active') await openLive(session);
  return { session, invited: { inviteId, invite: toInvite(sessionId, secret) } };
}

/** The hold of the open session, one of a service, and one that was given back. */
async function writeHolds({ userId, agentInstanceId, sessionId }: Stage['places']['own'], session: SessionDoc): Promise<void> {
  const holdOf = (amount: number, of: string | null): HoldDoc => ({ amount, lots: [{ grantId: 'lot-0', amount }], postedDOFs: 0, sessionId: of, createdAt: session.startedAt, expiresAt: session.expiresAt });
  const released: ResolvedHoldDoc = { holdId: 'released', state: 'released', postedDOFs: 0, releasedDOFs: 3, lots: [{ grantId: 'lot-0', amount: 3 }], sessionId: null, createdAt: session.startedAt, resolvedAt: session.startedAt };
  const ref = admin().firestore.doc(`users/${userId}/agents/${agentInstanceId}`);
  await Promise.all([
    ref.update({ holds: { [sessionId]: holdOf(session.heldDOFs, sessionId), pending: holdOf(10, null) }, heldDOFs: session.heldDOFs + 10, dueAt: session.expiresAt }),
    ref.collection('holds').doc('released').set(released),
  ]);
}

const newText = (): string => randomUUID().replaceAll('-', '');

function userOf(open: Pick<Place, 'sessionId' | 'agentInstanceId'> | null): UserDoc {
  return { email: null, displayName: null, createdAt: Timestamp.now(), activeSessions: open ? { [open.sessionId]: open.agentInstanceId } : {} };
}

function memoryOf({ sessionId }: Pick<Place, 'sessionId'>): MemoryDoc {
  return { kind: 'fact', text: 'A fact.', sessionId, turnId: null, wanted: { provider: 'gemini', model: 'm' }, embeddedWith: 'offline/m', createdAt: Timestamp.now(), expiresAt: null };
}

/** Everything that is stored of a stage, by its path; of events only that they are there, as they are published later. */
export async function storedOf({ accounts }: Stage): Promise<Record<string, unknown>> {
  const { firestore, database } = admin();
  const ofAccounts = (collection: string, field: string) => firestore.collection(collection).where(field, 'in', accounts).get();
  const [sessions, operations, events] = await Promise.all([ofAccounts('sessions', 'ownerId'), ofAccounts('operations', 'actor'), ofAccounts('outbox', 'data.userId')]);
  const trees = await Promise.all([...accounts.map((uid) => firestore.doc(`users/${uid}`)), ...sessions.docs.map(({ ref }) => ref), ...operations.docs.map(({ ref }) => ref)].map(treeOf));
  const roots = ['live', 'meters', 'contexts', 'requests', 'streams', 'summaries', 'presence'].flatMap((root) => sessions.docs.map(({ id }) => `${root}/${id}`));
  const nodes = await Promise.all(roots.map(async (path): Promise<[string, unknown]> => [path, (await database.ref(path).get()).val()]));
  return Object.fromEntries<unknown>([...trees.flat(), ...nodes, ...events.docs.map(({ ref }): [string, unknown] => [ref.path, true])]);
}

/** A document and all below it. */
async function treeOf(ref: DocumentReference): Promise<[path: string, data: unknown][]> {
  const [snapshot, collections] = await Promise.all([ref.get(), ref.listCollections()]);
  const documents = (await Promise.all(collections.map((collection) => collection.listDocuments()))).flat();
  return [[ref.path, snapshot.data()], ...(await Promise.all(documents.map(treeOf))).flat()];
}
