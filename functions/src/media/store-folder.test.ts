import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMediaStorage, type OpenStorage } from '../../test/media-contract.ts';
import { askRaw } from '../../test/raw-http.ts';
import { restApi } from '../runtime/rest.ts';
import { useSystem } from '../runtime/system.ts';
import { isSigned, sign } from './file-address.ts';
import { mediaFiles } from './folder-route.ts';
import type { MediaStorage } from './storage.ts';
import { folderStorage, keyOf } from './store-folder.ts';

interface OpenFolder extends OpenStorage {
  folder: string;
  /** Where the API is, without a path. */
  origin: string;
}

async function open(): Promise<OpenFolder> {
  const parent = await mkdtemp(join(tmpdir(), 'jiga-media-'));
  const folder = join(parent, 'kept');
  const server: Server = restApi([], () => Promise.resolve({}), mediaFiles(folder)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let ahead = 0;
  useSystem({ now: () => Date.now() + ahead, newId: () => 'id', random: () => 0, after: () => () => undefined });
  return {
    folder, origin, storage: folderStorage(folder, () => Promise.resolve(`${origin}/v1`)),
    paths: async () => (await readdir(parent, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && entry.name !== 'key').map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort(),
    pass: (ms) => { ahead += ms; },
    close: async () => {
      useSystem(null);
      server.closeAllConnections();
      server.close();
      await rm(parent, { recursive: true });
    },
  };
}

describeMediaStorage('a folder', open);

describe('kept media in a folder', () => {
  const path = 'sessions/s1/images/t1.jpg';
  let opened: OpenFolder;
  let storage: MediaStorage;
  beforeEach(async () => {
    opened = await open();
    ({ storage } = opened);
    await storage.put(path, Buffer.from('0123456789'), 'image/jpeg');
  });
  afterEach(() => opened.close());
  const urlOf = (of = path): Promise<string> => storage.signedUrl(of, Date.now() + 60_000);

  it('have addresses at the API that say nothing but the file, until when and the signature', async () => {
    const url = new URL(await urlOf());
    assert.equal(`${url.origin}${url.pathname}`, `${opened.origin}/v1/media-files/${path}`);
    assert.deepEqual([...url.searchParams.keys()], ['expires', 'signature']);
  });

  it('are served in parts too, and never as another type', async () => {
    const url = await urlOf();
    const part = await fetch(url, { headers: { range: 'bytes=2-4' } });
    assert.deepEqual([part.status, part.headers.get('content-range'), await part.text(), part.headers.get('x-content-type-options')], [206, 'bytes 2-4/10', '234', 'nosniff']);
    const head = await fetch(url, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
    const beyond = await fetch(url, { headers: { range: 'bytes=20-' } });
    assert.deepEqual([beyond.status, ((await beyond.json()) as { error: { code: string } }).error.code], [400, 'invalid-argument']);
  });

  it('are refused in the shape of every error of the API', async () => {
    const url = await urlOf();
    const answers = await Promise.all([url.replace('signature=', 'signature=x'), url.split('?')[0]!, `${url}&signature=x`, await urlOf('sessions/s1/images/gone.jpg')].map(async (each) => {
      const response = await fetch(each);
      return [response.status, response.headers.get('content-type'), await response.json()];
    }));
    const refused = [403, 'application/json; charset=utf-8', { error: { code: 'permission-denied', message: 'This address is not valid, or not any more. Ask getMedia for a new one.' } }];
    assert.deepEqual(answers, [refused, refused, refused, [404, 'application/json; charset=utf-8', { error: { code: 'not-found', message: 'The file is gone.', details: { reason: 'not_found' } } }]]);
  });

  it('are not left by any name', async () => {
    await writeFile(join(opened.folder, '..', 'planted.jpg'), 'planted');
    const key = await keyOf(opened.folder);
    const targets = ['key', '../planted.jpg', '..%2fplanted.jpg', '%2e%2e/planted.jpg', 'sessions/s1/images/..%2f..%2f..%2fkey', 'sessions/s1/images/..%5c..%5ckey', 'sessions/s1/images/../../../key', 'sessions/s1/images/t1.jpg%00', 'sessions/..%2f..%2f/images/planted.jpg',
      'sessions/s1/%2e%2e/planted.jpg', 'sessions/s1/other/t1.jpg', 'sessions/s1/images/t1.gif', 'sessions/s1/images/%2fetc%2fpasswd', 'sessions/s1/images/.jpg', `sessions/s1/images/${'x'.repeat(65)}.jpg`, 'sessions/s1/images/%ff.jpg'];
    for (const target of targets) {
      // Signed by the key itself: not even that opens them.
      const name = target.includes('%ff') ? target : decodeURIComponent(target);
      const { status, body } = await askRaw(opened.origin, `/v1/media-files/${target}?${new URLSearchParams({ ...sign(key, name, Date.now() + 60_000) }).toString()}`);
      assert.ok(status === 400 || status === 404, `${target}: ${status}`);
      assert.doesNotMatch(body, /planted|0123/, target);
      assert.ok(!body.includes(key.toString('latin1')));
    }
  });

  it('are neither written, signed for nor removed outside', async () => {
    for (const outside of ['../planted', 'sessions/../../planted', '/etc/planted', '.', '', 'sessions/..']) {
      await assert.rejects(storage.put(outside, Buffer.from('x'), 'image/jpeg'), /leads out/, outside);
      await assert.rejects(storage.signedUrl(outside, Date.now() + 1_000), /leads out/, outside);
      await assert.rejects(storage.removeAll(outside), /leads out/, outside);
    }
    assert.deepEqual([existsSync(join(opened.folder, '..', 'planted')), await opened.paths()], [false, [path]]);
  });

  it('are seen whole while they are replaced, and nothing is left beside them', async () => {
    const [first, second] = ['a', 'b'].map((letter) => Buffer.from(letter.repeat(200_000)));
    await storage.put(path, first!, 'image/jpeg');
    const file = join(opened.folder, path);
    let writing = true;
    const seen = new Set<string>();
    const reader = (async () => { while (writing) seen.add((await readFile(file, 'latin1')).replace(/^(.)\1*$/, '$1')); })();
    for (let time = 0; time < 20; time++) await storage.put(path, time % 2 ? first! : second!, 'image/jpeg');
    writing = false;
    await reader;
    assert.ok([...seen].every((content) => content === 'a' || content === 'b'));
    assert.deepEqual(await opened.paths(), [path]);
  });

  it('are signed with one key, however many processes need it first', async () => {
    const folder = join(opened.folder, 'fresh');
    const keys = await Promise.all(Array.from({ length: 20 }, () => keyOf(folder)));
    assert.deepEqual([...new Set(keys.map((key) => key.toString('hex')))].length, 1);
    assert.deepEqual([keys[0]!.length, await readdir(folder)], [32, ['key']]);
  });
});

describe('the address of a file', () => {
  const key = Buffer.alloc(32, 1);
  const signed = sign(key, 'sessions/s1/images/t1.jpg', 1_000);

  it('is valid before its moment, for its file, with its key', () => {
    assert.ok(isSigned(key, 'sessions/s1/images/t1.jpg', signed, 999));
    assert.ok(!isSigned(key, 'sessions/s1/images/t1.jpg', signed, 1_000));
    assert.ok(!isSigned(key, 'sessions/s1/images/t2.jpg', signed, 0));
    assert.ok(!isSigned(Buffer.alloc(32, 2), 'sessions/s1/images/t1.jpg', signed, 0));
  });

  it('is not valid in any other spelling, nor with anything but text', () => {
    const others: Parameters<typeof isSigned>[2][] = [
      {}, { expires: signed.expires }, { signature: signed.signature }, { ...signed, expires: '2000' }, { ...signed, expires: '01000' }, { ...signed, expires: 1_000 }, { ...signed, signature: `${signed.signature}=` },
      { ...signed, signature: [signed.signature] }, { ...signed, signature: '' }, { ...signed, signature: signed.signature.slice(1) }, { expires: ['1000'], signature: signed.signature },
    ];
    for (const other of others) assert.ok(!isSigned(key, 'sessions/s1/images/t1.jpg', other, 0), JSON.stringify(other));
  });
});
