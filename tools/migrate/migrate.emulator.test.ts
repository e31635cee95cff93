import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TurnPageDoc } from '../../functions/src/history/schema.ts';
import type { MediaDoc } from '../../functions/src/media/schema.ts';
import { auth } from '../../functions/src/runtime/firebase.ts';
import type { SessionDoc } from '../../functions/src/sessions/schema.ts';
import { admin, clientOf, closeClients, eventually, read, readAll, refusal, type Client } from '../../functions/test/harness.ts';
import { chat, goodFolder, makeFolder, png, put } from './fixtures.ts';
import type { MigrationReport } from './report.ts';
import { sessionIdOf } from './units.ts';

after(closeClients);

const command = fileURLToPath(new URL('../commands/migrate.ts', import.meta.url));

/** Runs `npm run migrate -- ...` against the suite. */
async function run(args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [command, ...args], { env: process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => { out += part.toString(); });
  child.stderr.on('data', (part: Buffer) => { err += part.toString(); });
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve); });
  return { code, out, err };
}

/** An account with a verified address, signed in. */
async function person(): Promise<Client & { email: string }> {
  const uid = `person-${randomUUID().slice(0, 13)}`;
  const email = `${uid}@jiga.example`;
  await auth().createUser({ uid, email, emailVerified: true });
  return { ...await clientOf(uid), email };
}

describe('npm run migrate', () => {
  const tag = randomUUID().slice(0, 8);
  const [good, odd, broken] = [`campaign_${tag}`, `camp ${tag}`, `broken_${tag}`];
  const { root, remove } = makeFolder({});
  const output = join(root, 'report.json');
  let [owner, friend, stranger] = [] as unknown as [Awaited<ReturnType<typeof person>>, Awaited<ReturnType<typeof person>>, Awaited<ReturnType<typeof person>>];
  const oddId = sessionIdOf(odd);

  const migrate = async (...args: string[]): Promise<{ code: number | null; out: string; err: string; report: MigrationReport }> => {
    const result = await run(['--from', join(root, 'legacy'), '--output', output, ...args]);
    return { ...result, report: JSON.parse(readFileSync(output, 'utf8')) as MigrationReport };
  };
  const outcomes = ({ sessions }: MigrationReport) => Object.fromEntries(sessions.map(({ folder, outcome }) => [folder, outcome]));
  /** Everything that is stored of the sessions of this test, with the versions of the documents. */
  async function dump(): Promise<unknown> {
    const { firestore, database } = admin();
    const ids = [good, oddId, broken];
    const own = await Promise.all(ids.flatMap((id) => ['turns', 'media', 'imports'].map((name) => firestore.collection(`sessions/${id}/${name}`).get())));
    const sessions = await firestore.getAll(...ids.map((id) => firestore.doc(`sessions/${id}`)));
    const events = await Promise.all(ids.map((id) => firestore.collection('outbox').where('subject', '==', id).get()));
    const live = await Promise.all(ids.flatMap((id) => ['live', 'meters'].map((name) => database.ref(`${name}/${id}`).get())));
    const documents = [...own.flatMap(({ docs }) => docs), ...sessions.filter(({ exists }) => exists)].map((doc) => [doc.ref.path, doc.data(), doc.updateTime?.toMillis()]);
    return [documents, events.flatMap(({ docs }) => docs.map(({ id }) => id)), live.map((node) => node.val() as unknown)];
  }

  before(async () => {
    [owner, friend, stranger] = await Promise.all([person(), person(), person()]);
    const folders = {
      ...goodFolder(good, { owner: owner.email, metadata: { session_id: good, member_emails: [friend.email, 'nobody@jiga.example'] }, messages: [...chat, { role: 'user', content: 'I wait.', timestamp: '2025-10-01T12:01:00Z', user_email: friend.email }] }),
      [`${good}/media/images/scene.jpg`]: png('scene'),
      ...goodFolder(odd, { owner: 'legacy|7' }),
      ...goodFolder(broken, { owner: owner.email }), [`${broken}/logs/chat_history.json`]: '[{',
    };
    for (const [path, content] of Object.entries(folders)) put(root, `legacy/${path}`, content);
    put(root, 'owners.json', { json: { 'legacy|7': owner.uid } });
  });
  after(remove);

  const owners = (): string[] => ['--owners', join(root, 'owners.json')];

  it('writes nothing in a dry run, and says what it would do', async () => {
    const before = await dump();
    assert.deepEqual(before, [[], [], Array(6).fill(null)]);
    const { code, out, report } = await migrate(...owners(), '--dry-run');
    assert.equal(code, 1, 'one folder is broken');
    assert.deepEqual(outcomes(report), { [good]: 'imported', [odd]: 'imported', [broken]: 'broken' });
    assert.ok(report.dryRun && report.sessions.filter(({ outcome }) => outcome === 'imported').every(({ would }) => would));
    assert.match(out, new RegExp(`^would be imported ${good} ${good} 2 turns, 1 media; without one thing`, 'm'));
    assert.deepEqual(report.sessions.find(({ folder }) => folder === broken)!.files.broken, [{ file: 'logs/chat_history.json', reason: 'is not JSON' }]);
    assert.deepEqual(await dump(), before);
  });

  it('imports what is not broken, and prints no address', async () => {
    const dry = JSON.parse(readFileSync(output, 'utf8')) as MigrationReport;
    const { code, out, err, report } = await migrate(...owners());
    assert.equal(code, 1);
    assert.deepEqual(report.totals, { ...dry.totals, sessions: 3, imported: 2, broken: 1, turns: 3, media: 1 });
    assert.deepEqual(report.sessions, dry.sessions.map(({ would: _would, ...session }) => session), 'the dry run has told the same');
    assert.match(readFileSync(output, 'utf8'), /nobody@jiga\.example/);
    assert.doesNotMatch(out + err, /@/);
    assert.equal(statSync(output).mode & 0o777, 0o600);
    assert.equal(await read(`sessions/${broken}`), undefined);
    assert.deepEqual(await readAll(`sessions/${broken}/turns`), []);
  });

  it('lets the owner list and read the sessions', async () => {
    const { sessions } = await owner.call('listMySessions', {});
    const rows = sessions.map(({ sessionId, role, name, status, closeReason, settlement, startedAt, endedAt, consumedDOFs }) => [sessionId, role, name, status, closeReason, settlement, startedAt, endedAt, consumedDOFs]);
    assert.deepEqual(rows.sort(), [
      [good, 'owner', 'The Lost Mine', 'ended', 'user', 'done', '2025-10-01T11:00:00.000Z', '2025-10-01T12:01:00.000Z', 0],
      [oddId, 'owner', 'The Lost Mine', 'ended', 'user', 'done', '2025-10-01T11:00:00.000Z', '2025-10-01T12:00:05.000Z', 0],
    ].sort());
    const { name, consumedDOFs } = await owner.call('getSession', { sessionId: good });
    assert.deepEqual([name, consumedDOFs], ['The Lost Mine', 0]);
  });

  it('lets members see it without what it cost, and nobody else', async () => {
    assert.deepEqual((await friend.call('listMySessions', {})).sessions.map(({ sessionId, role }) => [sessionId, role]), [[good, 'player']]);
    const { name, consumedDOFs } = await friend.call('getSession', { sessionId: good });
    assert.deepEqual([name, consumedDOFs], ['The Lost Mine', null]);
    assert.equal((await refusal(stranger.call('getSession', { sessionId: good }))).code, 'not-found');
  });

  it('has stored the turns, the media and an event that is published', async () => {
    const [page, ...others] = await readAll<TurnPageDoc>(`sessions/${good}/turns`);
    assert.deepEqual(others, []);
    assert.deepEqual(page!.turns.map(({ by, said, reply }) => [by, said, reply]), [[owner.uid, 'I open the door.', 'It creaks.'], [friend.uid, 'I wait.', '']]);
    assert.deepEqual((await readAll<MediaDoc>(`sessions/${good}/media`)).map(({ mimeType, bytes }) => [mimeType, bytes]), [['image/png', png('scene').length]]);
    await eventually(async () => (await read(`outbox/${good}-000001-session.imported`))?.['published'] === true, 'the publication of the import');
    const { database } = admin();
    for (const path of [`live/${good}`, `meters/${good}`]) assert.equal((await database.ref(path).get()).val(), null, path);
  });

  it('changes nothing the second time', async () => {
    const before = await dump();
    const { code, report } = await migrate(...owners());
    assert.equal(code, 1);
    assert.deepEqual(outcomes(report), { [good]: 'unchanged', [odd]: 'unchanged', [broken]: 'broken' });
    assert.deepEqual(await dump(), before);
  });

  it('leaves a session alone that its owner has renamed, however its folder changes; brings another up to date', async () => {
    await owner.call('renameSession', { sessionId: good, name: 'Mine' });
    for (const folder of [good, odd]) put(root, `legacy/${folder}/logs/chat_history.json`, { json: [...chat, { role: 'user', content: 'More.' }] });
    put(root, `legacy/${broken}/logs/chat_history.json`, { json: chat });
    const { code, report } = await migrate(...owners());
    assert.equal(code, 0, 'nothing is broken any more');
    assert.deepEqual(outcomes(report), { [good]: 'differs', [odd]: 'imported', [broken]: 'imported' });
    assert.equal((await read<SessionDoc>(`sessions/${good}`))!.name, 'Mine');
    const [page] = await readAll<TurnPageDoc>(`sessions/${oddId}/turns`);
    assert.equal(page!.turns.at(-1)!.said, 'More.');
  });

  it('says what is wrong with its use', async () => {
    for (const [args, message] of [[[], /--from is missing/], [['--from', join(root, 'legacy'), '--owner', 'nobody'], /there is no account nobody/], [['--from', join(root, 'legacy'), '--project', 'real'], /is set/]] as const) {
      const { code, out, err } = await run([...args]);
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.match(err, message);
    }
  });
});
