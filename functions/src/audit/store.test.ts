import assert from 'node:assert/strict';
import type { Database } from 'firebase-admin/database';
import { Timestamp } from 'firebase-admin/firestore';
import type { PubSub } from '@google-cloud/pubsub';
import { copy, fullBooks } from '../../test/books.ts';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import type { Gate } from '../../test/memory/io.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog, userTag } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import type { AgentFacts } from './facts.ts';
import { agentsAfter, agentsOf, auditPage, auditSlice, auditSome, repairAgent } from './store.ts';

type Firestore = ReturnType<typeof createMemoryFirestore>;

describe('audit: the store', () => {
  let firestore: Firestore;
  /** Runs before a request reaches the database. */
  let before: (paths: string[]) => void | Promise<unknown>;
  /** The same documents, past the gate. */
  let other: Firestore;
  let logged: unknown[];
  let clock: number;

  beforeEach(() => {
    before = () => undefined;
    logged = [];
    clock = fullBooks().facts.at;
    const gate: Gate = async (io, apply) => {
      await before(io.paths);
      return apply();
    };
    firestore = createMemoryFirestore({ gate });
    other = createMemoryFirestore({ data: firestore.data });
    useDatabases({ firestore, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => clock, newId: () => 'id', random: () => 0, after: (_ms, act) => { setImmediate(act); return () => undefined; } });
    useLog({ info: () => undefined, warn: () => undefined, write: (entry) => { logged.push(entry); } });
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  /** Writes all documents of an agent. */
  async function write(facts: AgentFacts, userId = 'u1', agentInstanceId = 'a1'): Promise<void> {
    const batch = other.batch();
    const agent = other.doc(`users/${userId}/agents/${agentInstanceId}`);
    const own = { ownerId: userId, agentInstanceId };
    batch.set(other.doc(`users/${userId}`), { ...facts.user, activeSessions: Object.fromEntries(Object.keys(facts.user!.activeSessions).map((id) => [id, agentInstanceId])) });
    batch.set(agent, { ...facts.agent, ...own });
    for (const [folder, documents] of Object.entries({ ledger: facts.ledger, grants: facts.grants, holds: facts.resolvedHolds })) {
      for (const [id, document] of Object.entries(documents)) batch.set(agent.collection(folder).doc(id), document as object);
    }
    for (const [id, session] of Object.entries(facts.sessions)) batch.set(other.doc(`sessions/${id}`), { ...session, ...own, members: { [userId]: 'owner' }, memberIds: [userId] });
    await batch.commit();
  }
  const books = (): AgentFacts => copy(fullBooks().facts);
  const kindsOf = async (): Promise<string[]> => (await auditSome(await agentsOf('u1', 'a1'))).flatMap(({ drifts }) => drifts.map(({ kind }) => kind)).sort();

  it('reads an agent with all its parts, in two round trips when nothing is wrong', async () => {
    const facts = books();
    await write(facts);
    const read: string[] = [];
    before = (paths) => { read.push(...paths); };
    const [audit] = await auditSome(await agentsOf('u1', 'a1'));
    assert.deepEqual(audit, { ref: audit!.ref, drifts: [], entries: Object.keys(facts.ledger).length, sessions: 4, unsteady: false });
    assert.deepEqual(read.sort(), ['sessions', 'users/u1', ...['', '/grants', '/holds', '/ledger'].map((part) => `users/u1/agents/a1${part}`)]);
  });

  it('writes nothing', async () => {
    const facts = books();
    facts.agent.currentDOFs = 0;
    await write(facts);
    const stored = firestore.dump();
    assert.deepEqual(await kindsOf(), ['agent.currentDOFs']);
    await auditPage(null, 5);
    assert.deepEqual(firestore.dump(), stored);
  });

  it('finds a hold of a session that names another agent, and one that is nowhere', async () => {
    const facts = books();
    await write(facts);
    await other.doc('sessions/s-open').update({ agentInstanceId: 'a2' });
    await other.doc('sessions/s-pending').delete();
    assert.deepEqual(await kindsOf(), ['hold.orphan', 'session.agent', 'user.activeSessions']);
  });

  it('leaves out an agent that does not exist', async () => {
    assert.deepEqual(await auditSome(await agentsOf('u1', 'none')), []);
    assert.equal(await repairAgent((await agentsOf('u1', 'none'))[0]!), null);
  });

  it('says nothing of a session that ends between two of its readings', async () => {
    await write(books());
    let reads = 0;
    before = (paths) => {
      // The first reading sees the session open and the user without it.
      if (!paths.includes('users/u1')) return;
      reads++;
      return other.doc('users/u1').update({ activeSessions: reads === 1 ? {} : { 's-open': 'a1' } });
    };
    assert.deepEqual(await kindsOf(), []);
    assert.ok(reads > 1);
  });

  it('reports what two readings agree on, and gives up on an agent that never stands still', async () => {
    await write(books());
    await other.doc('users/u1/agents/a1').update({ heldDOFs: 0 });
    let version = 10;
    before = (paths) => (paths.includes('users/u1') ? other.doc('users/u1/agents/a1').update({ version: version++ }) : undefined);
    const [busy] = await auditSome(await agentsOf('u1', 'a1'));
    assert.deepEqual([busy!.drifts, busy!.unsteady], [[], true]);
    await assert.rejects(repairAgent((await agentsOf('u1', 'a1'))[0]!), { code: 'aborted' });
    before = () => undefined;
    assert.deepEqual(await kindsOf(), ['agent.heldDOFs']);
  });

  it('repairs in one commit, with an event that tells what changed', async () => {
    const facts = books();
    const right = facts.agent.currentDOFs;
    facts.agent.currentDOFs += 7;
    facts.agent.version = 3;
    delete facts.sessions['s-pending'];
    facts.sessions['s-open']!.settledDOFs -= 5;
    await write(facts);
    await other.doc('users/u1').update({ activeSessions: { 's-open': 'a1', 's-old': 'a1' } });
    const ledger = firestore.dump('users/u1/agents/a1/ledger');
    const commits: string[][] = [];
    firestore.onCommit((changes) => commits.push(changes.map(({ path }) => path)));
    const repair = await repairAgent((await agentsOf('u1', 'a1'))[0]!);
    assert.deepEqual(Object.keys(repair!.agent).sort(), ['currentDOFs', 'dueAt', 'heldDOFs', 'holds']);
    assert.deepEqual(commits.map((paths) => paths.sort()), [['outbox/u1:a1-000004-agent.balance_repaired', 'sessions/s-open', 'users/u1', 'users/u1/agents/a1', 'users/u1/agents/a1/holds/s-pending']]);
    assert.deepEqual(await kindsOf(), []);
    assert.deepEqual(firestore.dump('users/u1/agents/a1/ledger'), ledger);
    const { data, type, sequence } = firestore.snapshotAt('outbox/u1:a1-000004-agent.balance_repaired').data() as { data: Record<string, Record<string, unknown>>; type: string; sequence: number };
    assert.deepEqual([type, sequence, firestore.snapshotAt('users/u1/agents/a1').get('version')], ['agent.balance_repaired', 4, 4]);
    assert.deepEqual([data['before']!['currentDOFs'], data['after']!['currentDOFs']], [right + 7, right]);
    assert.deepEqual([data['before']!['sessions'], data['after']!['sessions']], [{ 's-open': { settledDOFs: 60 } }, { 's-open': { settledDOFs: 65 } }]);
    assert.deepEqual([data['before']!['activeSessions'], data['after']!['activeSessions']], [{ 's-open': 'a1', 's-old': 'a1' }, { 's-open': 'a1' }]);
    assert.equal(await repairAgent((await agentsOf('u1', 'a1'))[0]!), null);
    assert.equal(commits.length, 1);
  });

  it('repairs what is there when the commit is made: a change in between starts it again', async () => {
    const facts = books();
    facts.agent.heldDOFs = 0;
    await write(facts);
    let changed = false;
    before = (paths) => {
      if (changed || !paths.some((path) => path.startsWith('outbox/'))) return;
      changed = true;
      return other.doc('users/u1/agents/a1').update({ customName: 'renamed', version: 5 });
    };
    await repairAgent((await agentsOf('u1', 'a1'))[0]!);
    assert.ok(changed);
    assert.deepEqual([await kindsOf(), firestore.snapshotAt('users/u1/agents/a1').get('customName'), firestore.snapshotAt('users/u1/agents/a1').get('version')], [[], 'renamed', 6]);
  });

  it('pages through all agents by path', async () => {
    const empty = { ...books(), ledger: {}, grants: {}, resolvedHolds: {}, sessions: {} };
    const nothing = { ...empty, agent: { ...empty.agent, currentDOFs: 0, heldDOFs: 0, seq: 0, lots: {}, holds: {}, dueAt: null }, user: { ...empty.user!, activeSessions: {} } };
    for (const [user, agent] of [['u2', 'b'], ['u1', 'c'], ['u1', 'a'], ['u3', 'a']] as const) await write(nothing, user, agent);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page === 0 || cursor !== null; page++) {
      const found: Awaited<ReturnType<typeof auditPage>> = await auditPage(cursor, 3);
      seen.push(...found.audits.map(({ ref, drifts }) => `${ref.path} ${drifts.length}`));
      cursor = found.cursor;
    }
    assert.deepEqual(seen, ['users/u1/agents/a 0', 'users/u1/agents/c 0', 'users/u2/agents/b 0', 'users/u3/agents/a 0']);
    assert.deepEqual((await agentsOf('u1', null)).map(({ id }) => id), ['a', 'c']);
    assert.deepEqual(await agentsAfter('users/u3/agents/a', 3), { refs: [], cursor: null });
  });

  it('goes round in slices, logs each drift once and remembers where it was', async () => {
    const facts = books();
    const nothing = { ...facts, ledger: {}, grants: {}, resolvedHolds: {}, sessions: {}, agent: { ...facts.agent, currentDOFs: 0, heldDOFs: 0, seq: 0, lots: {}, holds: {}, dueAt: null }, user: { ...facts.user!, activeSessions: {} } };
    for (let index = 10; index < 40; index++) await write(nothing, 'u1', `a${index}`);
    await other.doc('users/u1/agents/a12').update({ debtDOFs: 5 });
    await other.doc('users/u1').update({ activeSessions: { gone: 'a12' } });
    assert.deepEqual(await auditSlice(() => clock), { audited: 25, drifted: 25 });
    assert.deepEqual(logged, [
      { severity: 'ERROR', message: 'ledger drift', kind: 'user.activeSessions', documents: ['user', 'sessions/gone'], repairable: true, agentInstanceId: 'a34', user: userTag('u1') },
      { severity: 'ERROR', message: 'ledger drift', kind: 'agent.debtDOFs', documents: ['agents/a12'], repairable: true, expected: 0, found: 5, agentInstanceId: 'a12', user: userTag('u1') },
    ]);
    assert.deepEqual(firestore.snapshotAt('ops/audit').data(), { cursor: 'users/u1/agents/a34', rounds: 0, at: Timestamp.fromMillis(clock), roundAt: Timestamp.fromMillis(clock) });
    assert.equal((await auditSlice(() => clock)).audited, 5);
    assert.deepEqual(firestore.snapshotAt('ops/audit').data(), { cursor: null, rounds: 1, at: Timestamp.fromMillis(clock), roundAt: Timestamp.fromMillis(clock) });
    assert.equal((await auditSlice(() => clock + 60_000)).audited, 0, 'one round a day');
    assert.equal((await auditSlice(() => clock + 24 * 60 * 60_000)).audited, 25);
  });

  it('audits the others of a slice when one agent cannot be read', async () => {
    const facts = books();
    const nothing = { ...facts, ledger: {}, grants: {}, resolvedHolds: {}, sessions: {}, agent: { ...facts.agent, currentDOFs: 0, heldDOFs: 0, seq: 0, lots: {}, holds: {}, dueAt: null }, user: { ...facts.user!, activeSessions: {} } };
    for (const id of ['a1', 'a2', 'a3']) await write(nothing, 'u1', id);
    await other.doc('users/u1/agents/a3').update({ debtDOFs: 5 });
    before = (paths) => { if (paths.some((path) => path.includes('users/u1/agents/a1/ledger'))) throw new Error('too large'); };
    assert.deepEqual(await auditSlice(() => clock), { audited: 2, drifted: 1 });
    assert.deepEqual(logged.map((entry) => (entry as { message: string }).message), ['audit failed', 'ledger drift']);
  });
});
