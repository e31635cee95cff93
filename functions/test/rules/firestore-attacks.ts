import { deleteDoc, deleteField, doc, increment, runTransaction, setDoc, updateDoc, writeBatch, type Firestore } from 'firebase/firestore';
import type { Cast, Paths } from '../cast.ts';
import { documentName, documentsUrl, request, type Attacks, type Attempt } from './attempts.ts';

type Write = { [Kind in 'set' | 'merge' | 'update']: [Kind, path: string, data: object] }['set' | 'merge' | 'update'] | ['delete', path: string];

/** One write as it is, several in a batch. */
async function commit(db: Firestore, writes: Write[]): Promise<void> {
  const [kind, path, data] = writes[0]!;
  const target = doc(db, path);
  if (writes.length > 1) return commitAll(db, writes);
  if (kind === 'set') return setDoc(target, data);
  if (kind === 'merge') return setDoc(target, data, { merge: true });
  return kind === 'update' ? updateDoc(target, data) : deleteDoc(target);
}

async function commitAll(db: Firestore, writes: Write[]): Promise<void> {
  const batch = writeBatch(db);
  for (const [kind, path, data] of writes) {
    const target = doc(db, path);
    if (kind === 'set') batch.set(target, data);
    else if (kind === 'merge') batch.set(target, data, { merge: true });
    else if (kind === 'update') batch.update(target, data);
    else batch.delete(target);
  }
  return batch.commit();
}

const soon = (): Date => new Date(Date.now() + 1e9);

function moneyWrites(cast: Cast, { agent, strangersAgent, ended, user }: Paths): Record<string, Write[]> {
  const [uid, stranger] = [cast.owner.uid, cast.clients.stranger.uid];
  const lot = { grantId: 'forged', source: 'purchase', amount: 1_000_000, priority: 1, expiresAt: null, rollover: null, createdAt: new Date() };
  const open = { ...lot, remaining: 1_000_000, voided: false };
  const entry = { type: 'grant', amount: 1_000_000, balanceAfter: 1_005_000, operationId: 'forged', lots: [{ grantId: 'forged', amount: 1_000_000 }], debt: 0, seq: 9, createdAt: new Date() };
  return {
    'sets the own balance': [['update', agent, { currentDOFs: 1_000_000 }]],
    'raises the own balance by one': [['update', agent, { currentDOFs: increment(1) }]],
    'merges a balance into the own agent': [['merge', agent, { currentDOFs: 1_000_000 }]],
    'empties the balance of somebody else': [['update', strangersAgent, { currentDOFs: 0 }]],
    'forgets what is held': [['update', agent, { heldDOFs: 0 }]],
    'forgets the holds': [['update', agent, { heldDOFs: 0, holds: {} }]],
    'gives a hold back before its session ends': [['update', agent, { [`holds.${cast.sessionId}.amount`]: 0 }]],
    'refills a lot': [['update', agent, { 'lots.lot-0.remaining': 1_000_000 }]],
    'adds a lot to the agent': [['update', agent, { 'lots.forged': open }]],
    'keeps a lot for ever': [['update', agent, { 'lots.lot-0.expiresAt': null, dueAt: null }]],
    'takes back that a lot is void': [['update', agent, { 'lots.lot-0.voided': false }]],
    'silences the balance alerts': [['update', agent, { alertThresholds: [] }]],
    'forgives itself a debt': [['update', agent, { debtDOFs: 0 }]],
    'renames the agent past the function': [['update', agent, { customName: 'Forged' }]],
    'gives the agent away': [['update', agent, { ownerId: stranger }]],
    'makes the agent one of a better product': [['update', agent, { agentProductId: 'openai-legend' }]],
    'rewinds the ledger sequence and the version': [['update', agent, { seq: 0, version: 0 }]],
    'deletes the agent': [['delete', agent]],
    'makes an agent that was never bought': [['set', `${user}/agents/forged`, { ownerId: uid, currentDOFs: 1_000_000 }]],
    'moves the agent to another account': [['set', `users/${stranger}/agents/forged`, { ownerId: stranger, currentDOFs: 1_000_000 }], ['delete', agent]],
    'adds a grant': [['set', `${agent}/grants/forged`, lot]],
    'makes a grant larger': [['update', `${agent}/grants/lot-0`, { amount: 1_000_000 }]],
    'has a grant burnt last': [['update', `${agent}/grants/lot-0`, { priority: 99 }]],
    'deletes a grant': [['delete', `${agent}/grants/lot-0`]],
    'forges a ledger entry': [['set', `${agent}/ledger/forged`, entry]],
    'changes a ledger entry': [['update', `${agent}/ledger/lot-0`, { amount: 1_000_000 }]],
    'deletes a ledger entry': [['delete', `${agent}/ledger/lot-0`]],
    'forges grant, ledger entry, lot and balance that add up': [['set', `${agent}/grants/forged`, lot], ['set', `${agent}/ledger/forged`, entry], ['update', agent, { currentDOFs: 1_005_000, seq: 9, 'lots.forged': open }]],
    'forges a resolved hold': [['set', `${agent}/holds/forged`, { holdId: 'forged', state: 'released', postedDOFs: 0, releasedDOFs: 1_000_000, lots: [] }]],
    'has a resolved hold release more': [['update', `${agent}/holds/${cast.endedId}`, { releasedDOFs: 1_000_000 }]],
    'deletes a resolved hold': [['delete', `${agent}/holds/${cast.endedId}`]],
    'plants a memory': [['set', `${agent}/memories/forged`, { text: 'forged', embedding: [] }]],
    'changes the total of a checkpoint': [['update', `${ended}/checkpoints/final`, { total: 0 }]],
    'deletes a checkpoint': [['delete', `${ended}/checkpoints/final`]],
    'empties a receipt': [['update', `${ended}/checkpoints/final`, { lines: [] }]],
  };
}

function sessionWrites(cast: Cast, { session, ended, deleted }: Paths, inviteId: string): Record<string, Write[]> {
  const { owner: { uid }, clients: { stranger, member, spectator, removed } } = cast;
  return {
    'ends a session past the function': [['update', session, { status: 'ended', closeReason: 'user' }]],
    'reopens an ended session': [['update', ended, { status: 'active', closeReason: null, endedAt: null }]],
    'joins a session by editing its members': [['update', session, { [`members.${stranger.uid}`]: 'player', memberIds: [uid, member.uid, stranger.uid] }]],
    'makes a member the owner': [['update', session, { [`members.${member.uid}`]: 'owner' }]],
    'makes a spectator a player': [['update', session, { [`members.${spectator.uid}`]: 'player' }]],
    'comes back after a removal': [['update', session, { [`members.${removed.uid}`]: 'player', [`removedAt.${removed.uid}`]: deleteField() }]],
    'throws a member out': [['update', session, { [`members.${member.uid}`]: deleteField() }]],
    'lifts the cap of a member': [['update', session, { [`memberCaps.${member.uid}`]: deleteField() }]],
    'takes a session over': [['update', session, { ownerId: stranger.uid }]],
    'prolongs a session': [['update', session, { expiresAt: soon() }]],
    'raises the hold of a session': [['update', session, { heldDOFs: 1_000_000 }]],
    'forgets what a session consumed': [['update', session, { consumedDOFs: 0, settledDOFs: 0 }]],
    'makes instructions free': [['update', session, { 'config.dofRates.instruction': 0 }]],
    'fences the other clients of a session': [['update', session, { generation: increment(1) }]],
    'has a session settled again': [['update', ended, { settlement: 'pending' }]],
    'deletes a session': [['delete', session]],
    'deletes an ended session': [['delete', ended]],
    'makes a session without a hold': [['set', 'sessions/forged', { sessionId: 'forged', ownerId: uid, members: { [uid]: 'owner' }, status: 'active', heldDOFs: 1_000_000 }]],
    'deletes what is left of a deleted session': [['delete', deleted]],
    'takes the deletion of a session back': [['update', deleted, { deletedAt: null, members: { [uid]: 'owner' }, memberIds: [uid] }]],
    'deletes a session with its checkpoint': [['delete', session], ['delete', `${ended}/checkpoints/final`]],
    'adds a final checkpoint of nothing': [['set', `${session}/checkpoints/0`, { total: 0, final: true, createdAt: new Date() }]],
    'invents a turn': [['set', `${session}/turns/forged`, { text: 'forged' }]],
    'adds a file to the media of a session': [['set', `${session}/media/forged`, { bytes: 0 }]],
    'marks an import as done': [['set', `${session}/imports/legacy`, { digest: 'forged' }]],
    'forges a voice token': [['set', `${session}/voiceTokens/forged`, { uid }]],
    'makes an invite': [['set', `${session}/invites/forged`, { role: 'player', email: null, createdBy: uid }]],
    'steals an invite that is for somebody else': [['update', `${session}/invites/${inviteId}`, { email: null }]],
    'uses an invite a second time': [['update', `${session}/invites/${inviteId}`, { usedBy: null, usedAt: null }]],
    'takes back that an invite was revoked': [['update', `${session}/invites/${inviteId}`, { revokedAt: null, expiresAt: soon() }]],
    'deletes an invite': [['delete', `${session}/invites/${inviteId}`]],
  };
}

function systemWrites(cast: Cast, { user, agent, session, event }: Paths): Record<string, Write[]> {
  const { uid } = cast.owner;
  return {
    'replaces the own profile': [['set', user, { displayName: 'Forged', activeSessions: {} }]],
    'changes the own name past the function': [['update', user, { displayName: 'Forged' }]],
    'makes itself an administrator': [['merge', user, { role: 'admin' }]],
    'gets past the session limit by clearing the open sessions': [['update', user, { activeSessions: {} }]],
    'gets past the session limit by dropping one open session': [['update', user, { [`activeSessions.${cast.sessionId}`]: deleteField() }]],
    'lists a session as open that is not': [['update', user, { 'activeSessions.forged': 'agent' }]],
    'deletes the own user': [['delete', user]],
    'makes a user': [['set', 'users/forged', { activeSessions: {} }]],
    'answers an operation of an administrator': [['set', 'operations/forged', { fingerprint: 'forged', result: {}, actor: uid }]],
    'changes the result of an operation': [['update', `operations/${cast.operationId}`, { result: { amount: 1_000_000 } }]],
    'has an operation run again': [['delete', `operations/${cast.operationId}`]],
    'forges an event': [['set', 'outbox/forged', { type: 'user.created', topic: 'notification-events', published: false }]],
    'has an event published again': [['update', event, { published: false }]],
    'deletes an event': [['delete', event]],
    'has an event skipped by marking it as consumed': [['set', 'processed/forged', { at: new Date() }]],
    'adds a product': [['set', 'products/forged', { name: 'Forged', version: 1 }]],
    'changes a price': [['update', 'products/gemini-rookie', { 'dofRates.instruction': 0 }]],
    'deletes a product': [['delete', 'products/gemini-rookie']],
    'reviews a product': [['set', 'products/gemini-rookie/reviews/forged', { stars: 5 }]],
    'replaces the configuration': [['set', 'config/server', { limits: { maxSessionsPerUser: 99 } }]],
    'raises a limit': [['update', 'config/server', { 'limits.maxDOFsPerSession': 1_000_000 }]],
    'deletes the configuration': [['delete', 'config/server']],
    'adds a configuration': [['set', 'config/forged', { admin: uid }]],
    'has the audit begin behind itself': [['set', 'ops/audit', { cursor: 'forged' }]],
    'changes the balance of the platform': [['merge', 'ops/platform', { total: 0 }]],
    'writes into a collection that there is not': [['set', 'anything/forged', { uid }]],
    'writes a new collection below the own user': [['set', `${user}/settings/forged`, { uid }]],
    'writes a new collection below the own agent': [['set', `${agent}/notes/forged`, { uid }]],
    'writes a new collection below the own session': [['set', `${session}/notes/forged`, { uid }]],
  };
}

/** Attacks in other ways than single writes and batches of an SDK. */
function otherWays(cast: Cast, { agent, session, ended }: Paths): Record<string, Attempt> {
  const { uid } = cast.owner;
  const raised = { fields: { currentDOFs: { integerValue: '1000000' } } };
  const balance = { update: { name: documentName(agent), ...raised }, updateMask: { fieldPaths: ['currentDOFs'] } };
  const entry = { update: { name: documentName(`${agent}/ledger/forged`), fields: { amount: { integerValue: '1000000' } } }, currentDocument: { exists: false } };
  return {
    'raises the balance in a transaction that reads what it may': ({ firestore }) => runTransaction(firestore, async (transaction) => {
      await transaction.get(doc(firestore, 'products/gemini-rookie'));
      transaction.update(doc(firestore, agent), { currentDOFs: 1_000_000 });
    }),
    'makes its own user document, which a trigger makes': ({ firestore, uid: own }) => setDoc(doc(firestore, `users/${own || 'nobody'}-other`), { activeSessions: {} }),
    'replaces its own user document, whoever it is': ({ firestore, uid: own }) => setDoc(doc(firestore, `users/${own || 'nobody'}`), { activeSessions: {} }),
    'raises the balance over REST': (client) => request(client, `${documentsUrl}/${agent}?updateMask.fieldPaths=currentDOFs`, 'PATCH', raised),
    'makes a session over REST': (client) => request(client, `${documentsUrl}/sessions?documentId=forged`, 'POST', { fields: { ownerId: { stringValue: uid } } }),
    'deletes an ended session over REST': (client) => request(client, `${documentsUrl}/${ended}`, 'DELETE'),
    'commits balance and ledger entry over REST': (client) => request(client, `${documentsUrl}:commit`, 'POST', { writes: [balance, entry] }),
    'raises a counter over REST': (client) => request(client, `${documentsUrl}:commit`, 'POST', { writes: [{ transform: { document: documentName(session), fieldTransforms: [{ fieldPath: 'heldDOFs', increment: { integerValue: '1000' } }] } }] }),
  };
}

/** What somebody might like to change past the functions, and the documents that it would change. */
export function firestoreAttacks(cast: Cast, paths: Paths, inviteId: string): { attacks: Attacks; targets: string[] } {
  const writes = { ...moneyWrites(cast, paths), ...sessionWrites(cast, paths, inviteId), ...systemWrites(cast, paths) };
  const attacks = Object.fromEntries(Object.entries(writes).map(([what, steps]): [string, Attempt] => [what, ({ firestore }) => commit(firestore, steps)]));
  const own = Object.values(cast.clients).map(({ uid }) => `users/${uid || 'nobody'}`);
  const targets = [...new Set([...Object.values(writes).flatMap((steps) => steps.map(([, path]) => path)), ...own, ...own.map((user) => `${user}-other`)])];
  return { attacks: { ...attacks, ...otherWays(cast, paths) }, targets };
}
