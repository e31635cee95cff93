import assert from 'node:assert/strict';
import {
  collection, collectionGroup, doc, documentId, getDocFromServer, getDocsFromServer, limit, onSnapshot, or, orderBy, query, where, type Firestore, type Query,
} from 'firebase/firestore';
import { admitted, assemble, pathsOf, roles, type Cast, type Paths, type Role } from './cast.ts';
import { closeClients, refusal, type Client } from './harness.ts';

after(closeClients);

let cast: Cast;
let paths: Paths;
let inviteId: string;

const everybody = [...roles];

describe('Firestore rules: reading', () => {
  before(async () => {
    cast = await assemble();
    paths = await pathsOf(cast);
    ({ inviteId } = await cast.owner.call('shareSession', { sessionId: cast.sessionId }));
  });

  /** Documents, with who may get them. */
  const documents: [path: () => string, readers: readonly Role[]][] = [
    [() => 'products/gemini-rookie', everybody],
    [() => 'products/unknown', everybody],
    [() => paths.user, ['owner']],
    [() => paths.agent, ['owner']],
    [() => `${paths.user}/agents/unknown`, ['owner']],
    [() => `${paths.agent}/grants/lot-0`, []],
    [() => `${paths.agent}/ledger/lot-0`, []],
    [() => `${paths.agent}/holds/${cast.endedId}`, ['owner']],
    [() => `${paths.agent}/holds/unknown`, ['owner']],
    [() => `${paths.strangersAgent}/holds/unknown`, ['stranger']],
    [() => `${paths.agent}/memories/${cast.turnId}`, []],
    [() => `${paths.agent}/memories/unknown`, []],
    [() => paths.session, ['owner']],
    [() => paths.ended, ['owner']],
    [() => 'sessions/unknown', []],
    [() => `${paths.ended}/checkpoints/final`, []],
    [() => `${paths.session}/turns/${cast.turnId}`, []],
    [() => `${paths.session}/invites/${inviteId}`, []],
    [() => `${paths.session}/invites/unknown`, []],
    [() => 'config/server', []],
    [() => paths.event, []],
    [() => 'processed/unknown', []],
    [() => `operations/${cast.operationId}`, []],
    [() => 'operations/unknown', []],
    [() => 'ops/platform', []],
    [() => 'anything/unknown', []],
    [() => `${paths.user}/anything/unknown`, []],
    [() => `${paths.agent}/anything/unknown`, []],
    [() => `${paths.session}/anything/unknown`, []],
    [() => 'products/gemini-rookie/anything/unknown', []],
  ];
  /** Queries, with who may run them. */
  const queries: [what: string, find: (db: Firestore) => Query, readers: readonly Role[]][] = [
    ['products', (db) => collection(db, 'products'), everybody],
    ['agents of the owner', (db) => collection(db, paths.user, 'agents'), ['owner']],
    ['grants of the owner', (db) => collection(db, paths.agent, 'grants'), []],
    ['ledger of the owner', (db) => query(collection(db, paths.agent, 'ledger'), orderBy('seq', 'desc')), []],
    ['resolved holds of the owner', (db) => query(collection(db, paths.agent, 'holds'), where('state', '==', 'released')), ['owner']],
    ['memories of the owner', (db) => collection(db, paths.agent, 'memories'), []],
    ['memories of the owner, the latest', (db) => query(collection(db, paths.agent, 'memories'), orderBy('createdAt', 'desc'), limit(1)), []],
    ['operations on the owner', (db) => query(collection(db, 'operations'), where('actor', '==', cast.owner.uid)), []],
    ['checkpoints of the owner, everywhere', (db) => query(collectionGroup(db, 'checkpoints'), where('ownerId', '==', cast.owner.uid), orderBy('lastAt')), []],
    ['sessions of the owner', (db) => query(collection(db, 'sessions'), where('ownerId', '==', cast.owner.uid)), ['owner']],
    ['sessions of the owner, a page', (db) => query(collection(db, 'sessions'), where('ownerId', '==', cast.owner.uid), orderBy('startedAt', 'desc'), limit(1)), ['owner']],
    ['sessions of two owners', (db) => query(collection(db, 'sessions'), where('ownerId', 'in', [cast.owner.uid, cast.clients.stranger.uid])), []],
    ['sessions of one owner or open ones', (db) => query(collection(db, 'sessions'), or(where('ownerId', '==', cast.owner.uid), where('status', '==', 'active'))), []],
    ['sessions by member', (db) => query(collection(db, 'sessions'), where(`members.${cast.clients.member.uid}`, '==', 'player')), []],
    ['sessions by the list of members', (db) => query(collection(db, 'sessions'), where('memberIds', 'array-contains', cast.clients.member.uid)), []],
    ['sessions', (db) => collection(db, 'sessions'), []],
    ['users', (db) => collection(db, 'users'), []],
    ['users, oneself', (db) => query(collection(db, 'users'), where(documentId(), '==', cast.owner.uid)), []],
    ['users, one by address', (db) => query(collection(db, 'users'), where('email', '==', `${cast.owner.uid}@jiga.example`), limit(1)), []],
    ...['config', 'outbox', 'processed', 'operations', 'ops', 'anything'].map((name): (typeof queries)[number] => [name, (db) => query(collection(db, name), limit(1)), []]),
    ...['agents', 'grants', 'ledger', 'holds', 'memories', 'sessions', 'checkpoints'].map((name): (typeof queries)[number] => (
      [`every ${name} collection`, (db) => query(collectionGroup(db, name), where('ownerId', '==', cast.owner.uid)), []])),
    ['every invites collection', (db) => query(collectionGroup(db, 'invites'), where('createdBy', '==', cast.owner.uid)), []],
    ['open invites of a session', (db) => query(collection(db, paths.session, 'invites'), where('usedAt', '==', null), limit(1)), []],
    ...['checkpoints', 'turns', 'invites', 'media'].map((name): (typeof queries)[number] => [`${name} of a session`, (db) => collection(db, paths.session, name), []]),
  ];

  it('gives each document to those it is for', async () => {
    for (const [path, readers] of documents) {
      assert.deepEqual(await admitted(cast, ({ firestore }) => getDocFromServer(doc(firestore, path()))), readers, path());
    }
  });

  it('runs each query for those it is for', async () => {
    for (const [what, find, readers] of queries) {
      assert.deepEqual(await admitted(cast, ({ firestore }) => getDocsFromServer(find(firestore))), readers, what);
    }
  });

  it('finds the sessions of the one who asks, and only those', async () => {
    const mine = async ({ firestore, uid }: Client) => (await getDocsFromServer(query(collection(firestore, 'sessions'), where('ownerId', '==', uid)))).docs.map(({ id }) => id).sort();
    assert.deepEqual(await mine(cast.owner), [cast.sessionId, cast.endedId].sort());
    assert.deepEqual(await mine(cast.clients.stranger), []);
  });

  it('does not tell a missing session from a foreign one', async () => {
    for (const role of ['stranger', 'admin', 'anonymous'] as const) {
      const { firestore } = cast.clients[role];
      const [foreign, missing] = await Promise.all([paths.session, 'sessions/unknown'].map((path) => refusal(getDocFromServer(doc(firestore, path)))));
      assert.deepEqual(missing, foreign);
    }
  });

  it('refuses a listener of a stranger without showing it anything', async () => {
    const seen: unknown[] = [];
    const error = await new Promise<Error & { code?: string }>((resolve) => {
      onSnapshot(doc(cast.clients.stranger.firestore, paths.session), (snapshot) => seen.push(snapshot.data()), resolve);
    });
    assert.deepEqual([error.code, seen], ['permission-denied', []]);
  });
});

/** A node of the emulator's coverage report: an expression of the rules and the values that it has had. */
interface Expression {
  sourcePosition: { line: number; currentOffset: number; endOffset: number };
  values?: { value: { boolValue?: boolean } }[];
  children?: Expression[];
}

describe('Firestore rules: coverage', () => {
  it('has seen every expression, and every condition both true and false', async () => {
    const url = `http://${process.env['FIRESTORE_EMULATOR_HOST']}/emulator/v1/projects/${process.env['GCLOUD_PROJECT']}:ruleCoverage`;
    const { rules, report } = await (await fetch(url)).json() as { rules: { files: { content: string }[] }; report: Expression[] };
    const flatten = (expression: Expression): Expression[] => [expression, ...(expression.children ?? []).flatMap(flatten)];
    const expressions = report.flatMap(flatten).map(({ sourcePosition: { line, currentOffset, endOffset }, values = [] }) => ({
      text: `${line}: ${rules.files[0]!.content.slice(currentOffset, endOffset + 1)}`,
      seen: values.length > 0,
      booleans: new Set(values.flatMap(({ value }) => value.boolValue ?? [])).size,
    }));
    assert.ok(expressions.filter(({ booleans }) => booleans === 2).length >= 8, 'the report is not empty');
    const lacking = expressions.filter(({ seen, booleans }) => !seen || booleans === 1).map(({ text }) => text);
    assert.deepEqual(lacking.filter((text) => !text.endsWith(': true')), []);
  });
});
