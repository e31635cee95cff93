import assert from 'node:assert/strict';
import { deleteDoc, deleteField, doc, increment, runTransaction, setDoc, updateDoc, writeBatch, type Firestore } from 'firebase/firestore';
import { admitted, assemble, pathsOf, type Cast, type Paths } from './cast.ts';
import { admin, closeClients, read, type Client } from './harness.ts';

after(closeClients);

describe('Firestore rules: writing', () => {
  let cast: Cast;
  let paths: Paths;
  before(async () => {
    cast = await assemble();
    paths = await pathsOf(cast);
  });

  type Write = { [Kind in 'set' | 'merge' | 'update']: [Kind, path: string, data: object] }['set' | 'merge' | 'update'] | ['delete', path: string];

  /** One write as it is, several in a batch. */
  async function commit(db: Firestore, writes: Write[]): Promise<void> {
    const [kind, path, data] = writes[0]!;
    const target = doc(db, path);
    if (writes.length > 1) return applyAll(db, writes);
    if (kind === 'set') return setDoc(target, data);
    if (kind === 'merge') return setDoc(target, data, { merge: true });
    return kind === 'update' ? updateDoc(target, data) : deleteDoc(target);
  }

  async function applyAll(db: Firestore, writes: Write[]): Promise<void> {
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

  /** What somebody might like to change past the functions. */
  function attempts(): Record<string, Write[]> {
    const { user, agent, session, ended, event } = paths;
    const [uid, stranger, member] = [cast.owner.uid, cast.clients.stranger.uid, cast.clients.member.uid];
    const lot = { grantId: 'forged', source: 'purchase', amount: 1_000_000, priority: 1, expiresAt: null, rollover: null, createdAt: new Date() };
    const open = { ...lot, remaining: 1_000_000, voided: false };
    const entry = { type: 'grant', amount: 1_000_000, balanceAfter: 1_005_000, operationId: 'forged', lots: [{ grantId: 'forged', amount: 1_000_000 }], debt: 0, seq: 9, createdAt: new Date() };
    return {
      'own profile, replaced': [['set', user, { displayName: 'Forged', activeSessions: {} }]],
      'own name': [['update', user, { displayName: 'Forged' }]],
      'own role': [['merge', user, { role: 'admin' }]],
      'activeSessions cleared': [['update', user, { activeSessions: {} }]],
      'activeSessions, one more': [['update', user, { 'activeSessions.forged': 'agent' }]],
      'activeSessions, one less': [['update', user, { [`activeSessions.${cast.sessionId}`]: deleteField() }]],
      'own user deleted': [['delete', user]],
      'a new user': [['set', 'users/forged', { activeSessions: {} }]],
      'balance set': [['update', agent, { currentDOFs: 1_000_000 }]],
      'balance raised': [['update', agent, { currentDOFs: increment(1) }]],
      'balance merged': [['merge', agent, { currentDOFs: 1_000_000 }]],
      'hold forgotten': [['update', agent, { heldDOFs: 0 }]],
      'holds forgotten': [['update', agent, { heldDOFs: 0, holds: {} }]],
      'hold given back': [['update', agent, { [`holds.${cast.sessionId}.amount`]: 0 }]],
      'lot refilled': [['update', agent, { 'lots.lot-0.remaining': 1_000_000 }]],
      'lot added': [['update', agent, { 'lots.forged': open }]],
      'lot kept for ever': [['update', agent, { 'lots.lot-0.expiresAt': null, dueAt: null }]],
      'lot never void': [['update', agent, { 'lots.lot-0.voided': false }]],
      'alerts silenced': [['update', agent, { alertThresholds: [] }]],
      'debt forgiven': [['update', agent, { debtDOFs: 0 }]],
      'agent renamed': [['update', agent, { customName: 'Forged' }]],
      'agent given away': [['update', agent, { ownerId: stranger }]],
      'agent of a better product': [['update', agent, { agentProductId: 'openai-legend' }]],
      'seq and version rewound': [['update', agent, { seq: 0, version: 0 }]],
      'agent deleted': [['delete', agent]],
      'agent made': [['set', `${user}/agents/forged`, { ownerId: uid, currentDOFs: 1_000_000 }]],
      'agent moved': [['set', `users/${stranger}/agents/forged`, { ownerId: stranger, currentDOFs: 1_000_000 }], ['delete', agent]],
      'grant added': [['set', `${agent}/grants/forged`, lot]],
      'grant made larger': [['update', `${agent}/grants/lot-0`, { amount: 1_000_000 }]],
      'grant burnt last': [['update', `${agent}/grants/lot-0`, { priority: 99 }]],
      'grant deleted': [['delete', `${agent}/grants/lot-0`]],
      'resolved hold added': [['set', `${agent}/holds/forged`, { holdId: 'forged', state: 'released', postedDOFs: 0, releasedDOFs: 1_000_000, lots: [] }]],
      'resolved hold changed': [['update', `${agent}/holds/${cast.endedId}`, { releasedDOFs: 1_000_000 }]],
      'resolved hold deleted': [['delete', `${agent}/holds/${cast.endedId}`]],
      'ledger entry added': [['set', `${agent}/ledger/forged`, entry]],
      'ledger entry changed': [['update', `${agent}/ledger/lot-0`, { amount: 1_000_000 }]],
      'ledger entry deleted': [['delete', `${agent}/ledger/lot-0`]],
      'grant, ledger, lot and balance together': [['set', `${agent}/grants/forged`, lot], ['set', `${agent}/ledger/forged`, entry], ['update', agent, { currentDOFs: 1_005_000, seq: 9, 'lots.forged': open }]],
      'session ended': [['update', session, { status: 'ended', closeReason: 'user' }]],
      'session reopened': [['update', ended, { status: 'active', closeReason: null, endedAt: null }]],
      'member added': [['update', session, { [`members.${stranger}`]: 'owner' }]],
      'member removed': [['update', session, { [`members.${member}`]: deleteField() }]],
      'session taken over': [['update', session, { ownerId: stranger }]],
      'session prolonged': [['update', session, { expiresAt: new Date(Date.now() + 1e9) }]],
      'session hold raised': [['update', session, { heldDOFs: 1_000_000 }]],
      'consumption forgotten': [['update', session, { consumedDOFs: 0, settledDOFs: 0 }]],
      'free instructions': [['update', session, { 'config.dofRates.instruction': 0 }]],
      'other clients fenced': [['update', session, { generation: increment(1) }]],
      'settlement reopened': [['update', ended, { settlement: 'pending' }]],
      'session deleted': [['delete', session]],
      'session made': [['set', 'sessions/forged', { sessionId: 'forged', ownerId: uid, members: { [uid]: 'owner' }, status: 'active', heldDOFs: 1_000_000 }]],
      'checkpoint added': [['set', `${session}/checkpoints/0`, { total: 0, final: true, createdAt: new Date() }]],
      'checkpoint changed': [['update', `${ended}/checkpoints/final`, { total: 0 }]],
      'checkpoint deleted': [['delete', `${ended}/checkpoints/final`]],
      'receipt forged': [['update', `${ended}/checkpoints/final`, { lines: [] }]],
      'operation added': [['set', 'operations/forged', { fingerprint: 'forged', result: {}, actor: uid }]],
      'operation changed': [['update', `operations/${cast.operationId}`, { result: { amount: 1_000_000 } }]],
      'operation deleted': [['delete', `operations/${cast.operationId}`]],
      'turn invented': [['set', `${session}/turns/forged`, { text: 'forged' }]],
      'invite made': [['set', `${session}/invites/forged`, { uid }]],
      'event added': [['set', 'outbox/forged', { type: 'user.created', topic: 'notification-events', published: false }]],
      'event published again': [['update', event, { published: false }]],
      'event deleted': [['delete', event]],
      'event consumed': [['set', 'processed/forged', { at: new Date() }]],
      'product added': [['set', 'products/forged', { name: 'Forged', version: 1 }]],
      'price changed': [['update', 'products/gemini-rookie', { 'dofRates.instruction': 0 }]],
      'product deleted': [['delete', 'products/gemini-rookie']],
      'product reviewed': [['set', 'products/gemini-rookie/reviews/forged', { stars: 5 }]],
      'configuration replaced': [['set', 'config/server', { limits: { maxSessionsPerUser: 99 } }]],
      'limit raised': [['update', 'config/server', { 'limits.maxDOFsPerSession': 1_000_000 }]],
      'configuration deleted': [['delete', 'config/server']],
      'configuration added': [['set', 'config/forged', { admin: uid }]],
      'unknown collection': [['set', 'anything/forged', { uid }]],
      'below own user': [['set', `${user}/settings/forged`, { uid }]],
      'below own agent': [['set', `${agent}/notes/forged`, { uid }]],
      'below own session': [['set', `${session}/notes/forged`, { uid }]],
      'session with its checkpoint': [['delete', session], ['delete', `${ended}/checkpoints/final`]],
    };
  }

  it('refuses everything to everybody and leaves every document as it was', async () => {
    const table = Object.entries(attempts());
    const targets = [...new Set(table.flatMap(([, writes]) => writes.map(([, path]) => path)))];
    const state = async () => Object.fromEntries(await Promise.all(targets.map(async (path) => [path, await read(path) ?? 'nothing'] as const)));
    const before = await state();
    for (const [what, writes] of table) assert.deepEqual(await admitted(cast, ({ firestore }) => commit(firestore, writes)), [], what);
    assert.deepEqual(await state(), before);
    assert.ok(table.length >= 60 && Object.values(before).filter((data) => data !== 'nothing').length >= 10);
  });

  it('refuses to make the own user document, which a trigger makes', async () => {
    const { uid } = cast.clients.member;
    await admin().firestore.doc(`users/${uid}`).delete();
    assert.deepEqual(await admitted(cast, ({ firestore }) => setDoc(doc(firestore, `users/${uid}`), { activeSessions: {} })), []);
    assert.equal(await read(`users/${uid}`), undefined);
  });

  it('refuses a transaction that reads what it may and writes what it may not', async () => {
    const raise = ({ firestore }: Client) => runTransaction(firestore, async (transaction) => {
      await transaction.get(doc(firestore, 'products/gemini-rookie'));
      transaction.update(doc(firestore, paths.agent), { currentDOFs: 1_000_000 });
    });
    const before = await read(paths.agent);
    assert.deepEqual(await admitted(cast, raise), []);
    assert.deepEqual(await read(paths.agent), before);
  });
});
