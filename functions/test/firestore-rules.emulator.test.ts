import assert from 'node:assert/strict';
import { collection, doc, getDocFromServer, getDocsFromServer, onSnapshot, query, where } from 'firebase/firestore';
import { assemble, pathsOf, type Cast, type Paths, type Role } from './cast.ts';
import { closeClients, refusal, type Client } from './harness.ts';
import { allowedBy, attemptsOf, documentsAt, firestoreReport, refusedToAll, reloadFirestoreRules, whoCould, type Attacks, type Cases } from './rules/attempts.ts';
import { lacking, readFirestoreReport, type Constant } from './rules/coverage.ts';
import { firestoreAttacks } from './rules/firestore-attacks.ts';
import { documentCases, queryCases } from './rules/firestore-reads.ts';

after(closeClients);

/** The catalogue is for everybody, signed in or not. */
const constants: Constant[] = [{ file: 'firestore.rules', lineText: 'allow read: if true;', text: 'true' }];

describe('Firestore rules', () => {
  let cast: Cast;
  let paths: Paths;
  let cases: Cases;
  let attacks: Attacks;
  let could: Record<string, Role[]>;
  let report: string;
  let stored: { before: Record<string, string>; after: Record<string, string> };

  // The coverage is that of these attempts alone, whatever ran before.
  before(async function () {
    this.timeout(180_000);
    cast = await assemble();
    paths = await pathsOf(cast);
    const { inviteId } = await cast.owner.call('shareSession', { sessionId: cast.sessionId, email: 'friend@jiga.example' });
    cases = { ...documentCases(cast, paths, inviteId), ...queryCases(cast, paths) };
    const { attacks: all, targets } = firestoreAttacks(cast, paths, inviteId);
    attacks = all;
    const earlier = await documentsAt(targets);
    await reloadFirestoreRules();
    could = await whoCould(cast, { ...attemptsOf(cases), ...attacks });
    report = await firestoreReport();
    stored = { before: earlier, after: await documentsAt(targets) };
  });

  it('give each document and each query to those it is for, and to nobody else', () => {
    assert.deepEqual(Object.fromEntries(Object.keys(cases).map((what) => [what, could[what]])), allowedBy(cases));
  });

  it('refuse every attack to everybody', () => {
    assert.ok(Object.keys(attacks).length >= 60);
    assert.deepEqual(Object.fromEntries(Object.keys(attacks).map((what) => [what, could[what]])), refusedToAll(attacks));
  });

  it('leave every document byte for byte as it was', () => {
    assert.deepEqual(stored.after, stored.before);
    assert.ok(Object.values(stored.before).filter((document) => document.includes('"updateTime"')).length >= 15);
  });

  it('are covered: every expression was seen, and every condition both true and false', () => {
    assert.deepEqual(lacking(readFirestoreReport(report), constants), []);
  });

  it('show the sessions of the one who asks, and only those that are not deleted', async () => {
    const mine = async ({ firestore, uid }: Client) => (await getDocsFromServer(query(collection(firestore, 'sessions'), where('ownerId', '==', uid), where('deletedAt', '==', null)))).docs.map(({ id }) => id).sort();
    assert.deepEqual(await mine(cast.owner), [cast.sessionId, cast.endedId].sort());
    assert.deepEqual(await mine(cast.clients.stranger), []);
  });

  it('do not tell a missing session from a foreign one, nor from a deleted one', async () => {
    for (const role of ['stranger', 'removed', 'nameless', 'admin', 'anonymous'] as const) {
      const { firestore } = cast.clients[role];
      const [foreign, missing, deleted] = await Promise.all([paths.session, 'sessions/unknown', paths.deleted].map((path) => refusal(getDocFromServer(doc(firestore, path)))));
      assert.deepEqual([missing, deleted], [foreign, foreign]);
    }
  });

  it('refuse a listener of a stranger without showing it anything', async () => {
    const seen: unknown[] = [];
    const error = await new Promise<Error & { code?: string }>((resolve) => {
      onSnapshot(doc(cast.clients.stranger.firestore, paths.session), (snapshot) => seen.push(snapshot.data()), resolve);
    });
    assert.deepEqual([error.code, seen], ['permission-denied', []]);
  });
});
