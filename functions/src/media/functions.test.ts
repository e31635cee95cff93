import assert from 'node:assert/strict';
import { MemoryMedia } from '../../test/memory/media.ts';
import { freshSession, guest, SharingWorld } from '../../test/sharing-world.ts';
import { toAppError } from '../runtime/errors.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { commitJoin, commitRemoval } from '../sharing/store.ts';
import { getMedia, listMedia } from './functions.ts';
import { useStorage } from './load-storage.ts';
import { keepMedia } from './store.ts';

const [owner, player, spectator, stranger] = ['u1', 'u2', 'u3', 'u4'].map((uid) => guest(uid)) as [ReturnType<typeof guest>, ...ReturnType<typeof guest>[]];
const refused = (call: Promise<unknown>) => call.then(() => 'accepted', (error: unknown) => {
  const { code, message, details } = toAppError(error);
  return { code, message, details };
});

describe('kept media: the operations', () => {
  let world: SharingWorld;
  let media: MemoryMedia;
  beforeEach(async () => {
    world = new SharingWorld();
    media = new MemoryMedia();
    useStorage(media);
    await world.seed(freshSession());
    for (const [uid, role] of [['u2', 'player'], ['u3', 'spectator']] as const) await commitJoin((await world.invite({ role })).text, guest(uid));
    await keepMedia({ sessionId: 's1', turnId: 't1', by: 'u2' }, { mime: 'image/jpeg', bytes: Buffer.from('frame') });
    media.calls.length = 0;
  });
  afterEach(async () => {
    useStorage(null);
    await world.close();
  });
  const get = (caller: typeof owner, parts: object = {}) => world.call(getMedia, { sessionId: 's1', type: 'images', file: 't1.jpg', ...parts }, caller);
  const list = (caller: typeof owner, parts: object = {}) => world.call(listMedia, { sessionId: 's1', ...parts }, caller);

  it('give every member an address that is valid for ten minutes, while the session is open and afterwards', async () => {
    const expiresAt = world.now + 600_000;
    const answer = { url: `https://media.example/sessions/s1/images/t1.jpg?expires=${expiresAt}`, mimeType: 'image/jpeg', bytes: 5, expiresAt: new Date(expiresAt).toISOString() };
    for (const caller of [owner, player!, spectator!]) assert.deepEqual(await get(caller), answer);
    await commitEnd('s1', 'user', { total: null, lines: [] }, world.now);
    for (const caller of [owner, player!, spectator!]) assert.deepEqual(await get(caller), answer);
  });

  it('lead there over REST', async () => {
    const answer = await get(owner);
    assert.equal(getMedia.redirect!(answer), answer.url);
  });

  it('give nobody else anything, and say the same of a file, a type and a session that are not there', async () => {
    await commitRemoval('s1', 'u1', 'u2');
    const answers = await Promise.all([get(stranger!), get(player!), get(owner, { file: 't2.jpg' }), get(owner, { type: 'audio' }), get(owner, { sessionId: 's2' }), get(stranger!, { sessionId: 's2' })].map(refused));
    assert.deepEqual(answers, answers.map(() => ({ code: 'not-found', message: 'You have no session with such a file.', details: { reason: 'not_found' } })));
    assert.deepEqual(media.calls, []);
    assert.equal((await refused(list(stranger!)) as { code: string }).code, 'not-found');
    assert.deepEqual(await refused(list(stranger!)), await refused(list(stranger!, { sessionId: 's2' })));
  });

  it('read nothing for a name that is none', async () => {
    world.gate = () => assert.fail('something was read');
    for (const file of ['../../config/server', '..', '%2e%2e%2ft1.jpg', '..%5ct1.jpg', 't1.jpg\0', '/etc/passwd', 't1.exe', `${'x'.repeat(80)}.jpg`, '']) {
      assert.equal(((await refused(get(owner, { file }))) as { details: { reason: string } }).details.reason, 'bad_input', file);
    }
    for (const parts of [{ type: 'invites' }, { type: '..' }, { sessionId: '../users/u1' }]) assert.equal(((await refused(get(owner, parts))) as { details: { reason: string } }).details.reason, 'bad_input');
    assert.deepEqual(media.calls, []);
  });

  it('list what was kept to every member, without addresses', async () => {
    const listed = { media: [{ type: 'images', file: 't1.jpg', mimeType: 'image/jpeg', bytes: 5, turnId: 't1', memberId: 'u2', createdAt: new Date(world.now).toISOString() }], nextCursor: null };
    for (const caller of [owner, player!, spectator!]) assert.deepEqual(await list(caller), listed);
    assert.deepEqual(media.calls, []);
  });

  it('list it newest first, each file once on its pages, those of one moment too', async () => {
    for (const [turnId, passed] of [['t2', 1_000], ['t3', 0], ['t4', 5]] as const) {
      world.now += passed;
      for (const mime of ['image/jpeg', 'audio/mpeg']) await keepMedia({ sessionId: 's1', turnId, by: 'u1' }, { mime, bytes: Buffer.from('x') });
    }
    const newestFirst = ['t4.mp3', 't4.jpg', 't3.mp3', 't3.jpg', 't2.mp3', 't2.jpg', 't1.jpg'];
    for (const limit of [1, 2, 3, 7, 100]) {
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page: Awaited<ReturnType<typeof list>> = await list(owner, { limit, ...(cursor === undefined ? {} : { cursor }) });
        assert.ok(page.media.length <= limit && page.media.length > 0);
        seen.push(...page.media.map(({ file }) => file));
        cursor = page.nextCursor;
      }
      assert.deepEqual(seen, newestFirst, `pages of ${limit}`);
    }
  });

  it('log no address', async () => {
    await get(owner);
    assert.ok(world.logged.length > 0);
    assert.doesNotMatch(JSON.stringify(world.logged), /media\.example|expires/);
  });
});
