import assert from 'node:assert/strict';
import { get, goOffline, goOnline, onDisconnect, ref, set } from 'firebase/database';
import { admitted, assemble, type Cast, type Role } from './cast.ts';
import { admin, closeClients, eventually, watch } from './harness.ts';
import { allowedBy, attemptsOf, databaseReport, muteTriggers, refusedToAll, reloadDatabaseRules, valuesAt, whoCould, type Attacks, type Cases } from './rules/attempts.ts';
import { lacking, readDatabaseReport, type Constant } from './rules/coverage.ts';
import { databaseAttacks } from './rules/database-attacks.ts';
import { here, presenceCases, readCases } from './rules/database-cases.ts';

after(closeClients);

/** A connection has no other field, whatever it says. */
const constants: Constant[] = [{ file: 'database.rules.json', lineText: '"$other": { ".validate": false }', text: 'false' }];

describe('Realtime Database rules', () => {
  let cast: Cast;
  let s: string;
  let unmute: () => Promise<void>;
  let cases: Cases;
  let attacks: Attacks;
  let could: Record<string, Role[]>;
  let report: string;
  let stored: { before: Record<string, string>; after: Record<string, string> };

  // The coverage is that of these attempts alone, whatever ran before.
  before(async function () {
    this.timeout(180_000);
    cast = await assemble();
    s = cast.sessionId;
    unmute = await muteTriggers();
    cases = { ...readCases(cast), ...presenceCases(cast) };
    const { attacks: all, targets } = databaseAttacks(cast);
    attacks = all;
    await reloadDatabaseRules();
    could = await whoCould(cast, attemptsOf(cases));
    const earlier = await valuesAt(targets);
    Object.assign(could, await whoCould(cast, attacks));
    report = await databaseReport();
    stored = { before: earlier, after: await valuesAt(targets) };
  });
  after(async () => {
    await admin().database.ref('presence').remove();
    await unmute();
  });

  it('show each place to those it is for, and let members come, stay and go, for as long as the session is open', () => {
    assert.deepEqual(Object.fromEntries(Object.keys(cases).map((what) => [what, could[what]])), allowedBy(cases));
  });

  it('refuse every attack to everybody', () => {
    assert.ok(Object.keys(attacks).length >= 60);
    assert.deepEqual(Object.fromEntries(Object.keys(attacks).map((what) => [what, could[what]])), refusedToAll(attacks));
  });

  it('leave every place byte for byte as it was', () => {
    assert.deepEqual(stored.after, stored.before);
    assert.ok(Object.values(stored.before).filter((value) => value !== 'null').length >= 9);
  });

  it('are covered: every expression was seen, and every condition both true and false', () => {
    assert.deepEqual(lacking(readDatabaseReport(report), constants), []);
  });

  it('take the moment of a connection from the clock of the server', async () => {
    const { at } = (await admin().database.ref(`presence/${s}/${cast.owner.uid}/laptop`).get()).val() as { at: number };
    assert.ok(Math.abs(at - Date.now()) < 120_000);
  });

  it('show a listener of a stranger an error and no value, now and after a change', async () => {
    const watched = ['live', 'streams', 'presence', 'meters'].map((root) => watch(cast.clients.stranger, `${root}/${s}`));
    await eventually(() => watched.every(({ errors }) => errors.length === 1), 'the refusals');
    await admin().database.ref(`live/${s}/lastActivityAt`).set(Date.now());
    await get(ref(cast.owner.database, `live/${s}`));
    assert.deepEqual(watched.map(({ values }) => values), [[], [], [], []]);
  });

  it('stop a listener of a member who is no longer one, who can go and not come back', async () => {
    const { member } = cast.clients;
    const connection = ref(member.database, `presence/${s}/${member.uid}/tablet`);
    const before = watch(member, `live/${s}`);
    await eventually(() => before.values.length === 1, 'the first value');
    await set(connection, here());
    await admin().database.ref(`live/${s}/members/${member.uid}`).remove();
    await eventually(() => before.errors.length === 1, 'the refusal');
    assert.deepEqual(await admitted(cast, ({ database }) => get(ref(database, `streams/${s}`))), ['owner', 'spectator']);
    await assert.rejects(set(connection, here()), /permission.denied/i);
    await set(connection, null);
    await assert.rejects(set(connection, here()), /permission.denied/i);
    await admin().database.ref(`live/${s}/members/${member.uid}`).set('player');
  });

  it('let a connection be removed when its socket drops, before the eyes of the others', async () => {
    const { member } = cast.clients;
    const connection = ref(member.database, `presence/${s}/${member.uid}/train`);
    const seen = watch(cast.owner, `presence/${s}/${member.uid}`);
    const shows = (): boolean => Object.keys(seen.values.at(-1) ?? {}).includes('train');
    await onDisconnect(connection).remove();
    await set(connection, here());
    await eventually(shows, 'the owner sees the member');
    goOffline(member.database);
    await eventually(() => !shows(), 'the owner sees the member go');
    assert.deepEqual(seen.errors, []);
    seen.stop();
    goOnline(member.database);
  });
});
