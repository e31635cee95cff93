import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedSession, ImportVerdict } from '../../functions/src/imports/schema.ts';
import { findAccounts } from './accounts.ts';
import { migrate } from './batch.ts';
import { readBytes } from './files.ts';
import { chat, directory, goodFolder, makeFolder, mp3, png, put, type Content } from './fixtures.ts';
import type { SessionReport } from './report.ts';
import { looseId } from './units.ts';

const accounts = { 'uid-ann': 'ann@jiga.example', 'uid-bob': 'bob@jiga.example', 'uid-op': null };
const start = Date.UTC(2025, 9, 1, 11);

describe('a batch of session folders', () => {
  let root: string;
  let remove: () => void;
  let stored: Map<string, ImportedSession>;
  let loaded: Map<string, string>;
  let verdict: (session: ImportedSession) => ImportVerdict;

  function begin(files: Record<string, Content>): void {
    ({ root, remove } = makeFolder(files));
    stored = new Map();
    loaded = new Map();
    verdict = () => 'create';
  }
  afterEach(() => remove());

  async function run({ owners = {}, owner = null }: { owners?: Record<string, string>; owner?: string | null } = {}) {
    return migrate({
      root, fallbackOwner: owner, accounts: findAccounts(new Map(Object.entries(owners)), directory(accounts)), progress: () => undefined,
      async store(session, load) {
        for (const media of session.media) loaded.set(media.file, Buffer.from(await load(media)).toString('latin1'));
        stored.set(session.sessionId, session);
        return verdict(session);
      },
    });
  }
  const outcomes = (sessions: SessionReport[]) => Object.fromEntries(sessions.map(({ folder, outcome, reason }) => [folder, reason === undefined ? outcome : `${outcome}: ${reason}`]));

  it('becomes sessions with turns, members and media', async () => {
    const [picture, sound] = [png('a'), mp3('b')];
    begin({
      ...goodFolder('campaign_1', { metadata: { member_emails: ['bob@jiga.example', 'cy@jiga.example', 'ann@jiga.example'], session_id: 'campaign_1' }, messages: [...chat, { role: 'player', content: 'I wait.', timestamp: '2025-10-01T12:01:00', user_email: 'Bob@jiga.example' }, { role: 'system', content: 'x' }] }),
      'campaign_1/media/images/scene.jpg': picture, 'campaign_1/media/images/copy.png': picture, 'campaign_1/media/images/metadata/scene.json': { json: { message_id: 'm2', timestamp: '2025-10-01T12:00:07', storage_path: '/etc/passwd' } },
      'campaign_1/media/audio/line.mp3': sound, 'campaign_1/media/audio/text.mp3': 'no sound', 'campaign_1/data/campaign_data.json': '{}',
    });
    const { sessions, unrecognised } = await run();
    const imported = stored.get('campaign_1')!;
    const [file, audio] = [imported.media.find(({ type }) => type === 'images')!.file, imported.media.find(({ type }) => type === 'audio')!.file];
    const turns = imported.turns.map(({ by, at, said, reply }) => [by, at - start, said, reply]);
    assert.deepEqual(turns, [['uid-ann', 3_605_000, 'I open the door.', 'It creaks.'], ['uid-bob', 3_660_000, 'I wait.', '']]);
    assert.deepEqual({ ...imported, turns: 0 }, {
      sessionId: 'campaign_1', ownerId: 'uid-ann', playerIds: ['uid-bob'], name: 'The Lost Mine', startedAt: start, endedAt: start + 3_660_000, turns: 0,
      media: [
        { file, type: 'images', mimeType: 'image/png', bytes: picture.length, turnId: 'legacy-000002', by: 'uid-bob', createdAt: start + 3_660_000 },
        { file: audio, type: 'audio', mimeType: 'audio/mpeg', bytes: sound.length, turnId: 'legacy-000002', by: 'uid-bob', createdAt: start + 3_660_000 },
      ].sort((one, other) => (one.file < other.file ? -1 : 1)),
    });
    assert.match(file, /^[0-9a-f]{32}\.png$/);
    assert.deepEqual(loaded, new Map([[file, picture.toString('latin1')], [audio, sound.toString('latin1')]]));
    assert.deepEqual(unrecognised, []);
    assert.deepEqual(sessions, [{
      folder: 'campaign_1', sessionId: 'campaign_1', outcome: 'imported', turns: 2, media: 2, dropped: ['the member cy@jiga.example: no account', '1 message of the system'],
      files: {
        mapped: ['metadata.json', 'logs/chat_history.json', 'media/audio/line.mp3', 'media/images/copy.png', 'media/images/scene.jpg', 'media/images/metadata/scene.json'],
        skipped: [{ file: 'data/campaign_data.json', reason: 'data of the game: only what was said is imported' }, { file: 'media/audio/text.mp3', reason: 'no MP3 or WAV sound' }], broken: [],
      },
    }]);
  });

  it('gives media to the turn that they name, or to the one before them', async () => {
    begin({
      ...goodFolder('s1', { messages: [...chat, { role: 'user', content: 'And?', timestamp: '2025-10-01T12:10:00' }] }),
      's1/media/images/named.png': png('1'), 's1/image_metadata/named.json': { json: { message_id: 'm1', timestamp: '2025-10-01T12:20:00' } },
      's1/media/images/timed.png': png('2'), 's1/media/images/timed.png.json': { json: { timestamp: '2025-10-01T12:05:00' } },
      's1/media/images/early.png': png('3'), 's1/media/images/early.json': { json: { created_at: '2025-10-01T11:00:00' } },
      's1/media/images/unknown.png': png('4'),
    });
    await run();
    const turnOf = (what: string) => stored.get('s1')!.media.find(({ file }) => loaded.get(file) === png(what).toString('latin1'))?.turnId;
    assert.deepEqual(['1', '2', '3', '4'].map(turnOf), ['legacy-000001', 'legacy-000001', 'legacy-000001', 'legacy-000002']);
  });

  it('is owned by who the registry names; what it lists and is not here is told', async () => {
    begin({
      ...goodFolder('s1'), ...goodFolder('s2', { owner: null }), 'session_registry.json': { json: { sessions: { s1: { owner_email: 'bob@jiga.example', member_emails: ['ann@jiga.example'] }, s2: { owner_user_id: 'auth0|7', title: 'x' }, s3: {} } } },
    });
    const { sessions, unrecognised } = await run({ owners: { 'auth0|7': 'uid-op' } });
    assert.deepEqual(outcomes(sessions), { s1: 'imported', s2: 'imported', s3: 'skipped: is in the registry, but its folder is not here' });
    assert.deepEqual([stored.get('s1')!.ownerId, stored.get('s1')!.playerIds, stored.get('s2')!.ownerId], ['uid-bob', ['uid-ann'], 'uid-op']);
    assert.deepEqual(unrecognised, []);
  });

  it('skips whom nobody owns here, unless somebody is named for those without an owner', async () => {
    begin({ ...goodFolder('s1', { owner: 'cy@jiga.example' }), ...goodFolder('s2', { owner: null }), 's3/notes.txt': 'x' });
    const none = 'skipped: has neither metadata nor a conversation, so it is no session';
    assert.deepEqual(outcomes((await run()).sessions), { s1: 'skipped: no account for owner cy@jiga.example', s2: 'skipped: nobody owns it: --owner UID says who does', s3: none });
    assert.deepEqual(outcomes((await run({ owner: 'uid-op' })).sessions), { s1: 'skipped: no account for owner cy@jiga.example', s2: 'imported', s3: none });
    assert.deepEqual([...stored].map(([id, { ownerId }]) => [id, ownerId]), [['s2', 'uid-op']]);
  });

  it('has sessions that were saved without an id, in `default` and in the oldest layout', async () => {
    begin({
      'default/conversation_1.json': { json: chat }, 'default/conversation_2.json': { json: chat }, 'default/data/scenes/scene_1.json': '{}',
      'default - The Cave/logs/chat_history.json': { json: chat }, 'default - The Cave/data/scenes/scene_2.json': '{}',
      'logs/campaign_7.json': { json: chat }, 'logs/campaign_7.json.bak': 'x', 'data/campaign_7_data.json': '{}', '.DS_Store': 'x',
    });
    const { sessions, unrecognised } = await run({ owner: 'uid-op' });
    assert.deepEqual(outcomes(sessions), {
      'default - The Cave': 'imported', 'default/conversation_1.json': 'imported', 'default/conversation_2.json': 'imported', 'logs/campaign_7.json': 'imported',
      default: 'skipped: these files belong to no session', logs: 'skipped: these files belong to no session',
    });
    assert.deepEqual([...stored.keys()].sort(), [looseId('default - The Cave'), looseId('default/conversation_1.json'), looseId('default/conversation_2.json'), 'campaign_7'].sort());
    assert.equal(stored.get(looseId('default - The Cave'))!.name, 'The Cave');
    assert.deepEqual(sessions.find(({ folder }) => folder === 'default')!.files.skipped, [{ file: 'data/scenes/scene_1.json', reason: 'a scene: only what was said is imported' }]);
    assert.deepEqual(unrecognised, ['.DS_Store', 'data']);
  });

  it('keeps what has one id apart: the first is imported', async () => {
    begin({ ...goodFolder('campaign_1'), ...goodFolder('campaign_1 - The Lost Mine'), 'logs/campaign_1.json': { json: chat } });
    assert.deepEqual(outcomes((await run()).sessions), { campaign_1: 'imported', 'campaign_1 - The Lost Mine': 'skipped: has the same id as campaign_1', 'logs/campaign_1.json': 'skipped: has the same id as campaign_1' });
  });

  it('takes metadata from the copy that was kept beside the sessions', async () => {
    begin({ 's1/chat_history.json': { json: chat }, 'metadata/s1.json': { json: { campaign_id: 's1', owner: 'ann@jiga.example', title: 'Copy' } } });
    await run();
    assert.deepEqual([stored.get('s1')!.ownerId, stored.get('s1')!.name], ['uid-ann', 'Copy']);
  });

  it('takes folders of any name, and paths in files for nothing', async () => {
    begin({ ...goodFolder('Höhle 🐉'), ...goodFolder('a\\..\\b'), ...goodFolder('hasOwnProperty'), ...goodFolder('x'.repeat(200)) });
    const { sessions } = await run();
    assert.deepEqual(sessions.map(({ outcome }) => outcome), Array(4).fill('imported'));
    assert.ok([...stored.keys()].every((id) => /^legacy-[\w-]{32}$/.test(id)));
    assert.equal(sessions.find(({ folder }) => folder === 'Höhle 🐉')!.legacyId, 'Höhle 🐉');
  });

  it('dates a session of which no moment is known the same in every run', async () => {
    begin({ 's1/metadata.json': { json: { owner: 'uid-ann' } }, 's2/metadata.json': { json: { owner: 'uid-ann', last_played: '2025-10-02' } }, 's3/chat_history.json': { json: [{ role: 'user', content: 'x' }] } });
    await run({ owner: 'uid-ann' });
    const moments = ['s1', 's2', 's3'].map((id) => [stored.get(id)!.startedAt, stored.get(id)!.endedAt].map((at) => new Date(at).toISOString().slice(0, 10)));
    assert.deepEqual(moments, [['2000-01-01', '2000-01-01'], ['2025-10-02', '2025-10-02'], ['2000-01-01', '2000-01-01']]);
  });

  describe('with a broken one', () => {
    const deep = `${'['.repeat(100)}${']'.repeat(100)}`;
    const broken: [what: string, file: string, content: Content, reason: RegExp][] = [
      ['no JSON', 'metadata.json', '{ "name": ', /^is not JSON$/],
      ['nothing', 'logs/chat_history.json', '', /^is empty$/],
      ['no UTF-8', 'logs/chat_history.json', Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]), /^is not UTF-8$/],
      ['another type', 'metadata.json', { json: { name: 7 } }, /^name: .*string/],
      ['a list instead of an object', 'metadata.json', '[]', /object/],
      ['an object instead of a list', 'logs/chat_history.json', '{}', /array/],
      ['a message without a role', 'logs/chat_history.json', { json: [chat[0], { content: 'x' }] }, /^1\.role: /],
      ['a message of another type', 'logs/chat_history.json', { json: ['x'] }, /^0: /],
      ['nesting', 'logs/chat_history.json', deep, /^is nested deeper than 64 levels$/],
      ['bottomless nesting', 'metadata.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /^is nested deeper than 64 levels$/],
      ['a prototype', 'metadata.json', '{"name":"x","__proto__":{"owner_email":"eve@jiga.example"}}', /^has a key __proto__$/],
      ['a deep prototype', 'logs/chat_history.json', '[{"role":"user","content":{"a":{"__proto__":1}}}]', /^has a key __proto__$/],
      ['metadata of another session', 'metadata.json', { json: { session_id: '../s9', owner_email: 'ann@jiga.example' } }, /^is that of the session \.\.\/s9$/],
      ['a link to a file outside', 'media/images/a.png', { link: '/etc/hostname' }, /^is a symbolic link$/],
      ['a link around', 'media/loop', { link: '..' }, /^is a symbolic link$/],
      ['a link that leads nowhere', 'metadata.json', { link: 'metadata.json' }, /^is a symbolic link$/],
      ['a folder that is deep', 'a/b/c/d/e/f/g/h/i.txt', 'x', /^is nested deeper than 8 folders$/],
      ['a sidecar that is none', 'media/images/a.png.json', '{', /^is not JSON$/],
    ];
    for (const [what, file, content, reason] of broken) {
      it(`(${what}) imports the others and says which file it is`, async () => {
        begin({ ...goodFolder('s1'), ...goodFolder('s2'), 's2/media/images/b.png': png('b'), ...goodFolder('s3') });
        if (file.startsWith('media/images/a.png.')) put(root, 's2/media/images/a.png', png('a'));
        rmSync(join(root, 's2', file), { force: true });
        put(root, `s2/${file}`, content);
        const { sessions } = await run();
        assert.deepEqual(sessions.map(({ folder, outcome }) => [folder, outcome]), [['s1', 'imported'], ['s2', 'broken'], ['s3', 'imported']]);
        const [problem] = sessions[1]!.files.broken;
        assert.match(problem!.reason, reason);
        assert.equal(problem!.file.split('/')[0], file.split('/')[0]);
        if (!file.startsWith('a/')) assert.equal(problem!.file, file);
        assert.deepEqual([...stored.keys()].sort(), ['s1', 's3'], 'nothing of it is stored');
        assert.deepEqual([...loaded], []);
      });
    }

    it('that is a link itself, or has something else than files, never waits and never follows', async () => {
      begin({ ...goodFolder('s1'), s2: { link: 's1' }, ...goodFolder('s3') });
      execFileSync('mkfifo', [join(root, 's3', 'pipe')]);
      assert.deepEqual(outcomes((await run()).sessions), { s1: 'imported', s2: 'broken: . is a symbolic link', s3: 'broken: pipe is no regular file' });
    });

    it('whose conversation is too large reads no more of it; media that are too large are left out', async () => {
      begin({ ...goodFolder('s1'), ...goodFolder('s2'), 's2/media/images/a.png': png() });
      truncateSync(join(root, 's1', 'logs', 'chat_history.json'), 30_000_000);
      truncateSync(join(root, 's2', 'media', 'images', 'a.png'), 30_000_000);
      const { sessions } = await run();
      assert.deepEqual(outcomes(sessions), { s1: 'broken: logs/chat_history.json makes the conversation larger than 20000000 bytes', s2: 'imported' });
      assert.deepEqual(sessions[1]!.files.skipped, [{ file: 'media/images/a.png', reason: 'larger than 20000000 bytes' }]);
    });

    it('is told by a file that has gone, and by a path that leads out', async () => {
      begin({ 's1/a.json': 'x', 's10/a.json': 'x' });
      await assert.rejects(readBytes(join(root, 's1'), 'b.json', 10), { file: 'b.json', reason: 'cannot be read (ENOENT)' });
      for (const path of ['../s10/a.json', '/etc/../../s10/a.json', '..']) await assert.rejects(readBytes(join(root, 's1'), path, 10), { file: path, reason: /outside|ENOENT/ });
      assert.equal((await readBytes(join(root, 's1'), 'a.json', 10))?.toString(), 'x');
    });

    it('whose media change while they are read is told', async () => {
      begin({ ...goodFolder('s1'), 's1/media/images/a.png': png('a') });
      const { sessions } = await migrate({
        root, fallbackOwner: null, accounts: findAccounts(new Map(), directory(accounts)), progress: () => undefined,
        async store({ media }, load) {
          put(root, 's1/media/images/a.png', png('b'));
          await load(media[0]!);
          return 'imported';
        },
      });
      assert.deepEqual(outcomes(sessions), { s1: 'broken: media/images/a.png has changed since it was read' });
    });

    it('that is the registry imports nothing, since nobody knows who owns what', async () => {
      for (const content of ['{"sessions": 7}', { link: '/etc/hostname' }]) {
        begin({ ...goodFolder('s1'), 'session_registry.json': content });
        const { sessions } = await run();
        assert.deepEqual(sessions.map(({ folder, outcome }) => [folder, outcome]), [['session_registry.json', 'broken']]);
        assert.equal(stored.size, 0);
        remove();
      }
    });

    it('whose copy of the metadata is behind a link', async () => {
      begin({ 's1/chat_history.json': { json: chat }, 'elsewhere/s1.json': { json: { owner: 'uid-ann' } }, metadata: { link: 'elsewhere' } });
      assert.equal(outcomes((await run()).sessions)['s1'], 'broken: metadata/s1.json is a symbolic link');
    });
  });

  it('says what became of each, and goes on when one cannot be stored', async () => {
    begin(Object.assign({}, ...['s1', 's2', 's3', 's4', 's5', 's6', 's7'].map((folder) => goodFolder(folder))) as Record<string, Content>);
    const verdicts: Record<string, ImportVerdict> = { s1: 'create', s2: 'replace', s3: 'unchanged', s4: 'differs', s5: 'deleted', s6: 'taken' };
    verdict = ({ sessionId }) => {
      const chosen = verdicts[sessionId];
      if (!chosen) throw new Error('the database is away');
      return chosen;
    };
    assert.deepEqual(outcomes((await run()).sessions), {
      s1: 'imported', s2: 'imported', s3: 'unchanged', s4: 'differs: has changed since it was imported; the session here is left as it is', s5: 'skipped: its owner has deleted it here',
      s6: 'skipped: another session here has this id', s7: 'broken: could not be stored, try again: the database is away',
    });
  });

  it('reads the same in every run, and a few at a time, reported in order', async () => {
    const folders = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, '0')}`);
    begin(Object.assign({}, ...folders.map((folder) => goodFolder(folder))) as Record<string, Content>);
    let [busy, most] = [0, 0];
    const shown: number[] = [];
    const once = () => migrate({
      root, fallbackOwner: null, accounts: findAccounts(new Map(), directory(accounts)), progress: (done, total) => shown.push(done / total),
      async store(session) {
        most = Math.max(most, ++busy);
        // The first ones take longest.
        for (let turn = 0; turn < 12 - Number(session.sessionId.slice(1)); turn++) await new Promise((resolve) => { setImmediate(resolve); });
        busy--;
        stored.set(session.sessionId, session);
        return 'create';
      },
    });
    const first = await once();
    const before = new Map(stored);
    assert.deepEqual(first.sessions.map(({ folder }) => folder), folders);
    assert.equal(most, 4);
    assert.deepEqual([shown[0], shown.at(-1), shown.length], [0, 1, 13]);
    assert.deepEqual([await once(), stored], [first, before]);
  });
});
