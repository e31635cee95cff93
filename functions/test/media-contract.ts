import assert from 'node:assert/strict';
import type { MediaStorage } from '../src/media/storage.ts';

/** A media storage that was opened for a test, and how it looks from outside. */
export interface OpenStorage {
  storage: MediaStorage;
  /** The paths of every file in it, sorted. */
  paths: () => Promise<string[]> | string[];
  /** Lets time (ms) pass for whoever checks an address. */
  pass: (ms: number) => void;
  close: () => Promise<void>;
}

const minute = 60_000;

/** What every media storage does. */
export function describeMediaStorage(name: string, open: () => Promise<OpenStorage>): void {
  describe(`kept media in ${name}`, () => {
    let opened: OpenStorage;
    beforeEach(async () => { opened = await open(); });
    afterEach(() => opened.close());
    const urlOf = (path: string, ms = 10 * minute): Promise<string> => opened.storage.signedUrl(path, Date.now() + ms);
    const read = async (url: string): Promise<{ status: number; type: string | null; bytes: string; cache: string | null }> => {
      const response = await fetch(url);
      return { status: response.status, type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()).toString('base64'), cache: response.headers.get('cache-control') };
    };
    const refused = async (url: string): Promise<boolean> => {
      const { status, bytes } = await read(url);
      assert.ok(!bytes.includes(Buffer.from('picture').toString('base64')));
      return status === 403 || status === 400;
    };

    it('are read by their address as they were put there, of their type', async () => {
      const all = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
      const files: [string, string, Buffer][] = [
        ['images/t1.jpg', 'image/jpeg', all], ['images/t1.png', 'image/png', Buffer.from('\r\n--boundary\r\n\r\n--')], ['images/t1.webp', 'image/webp', Buffer.from('w')], ['audio/t-_1.mp3', 'audio/mpeg', Buffer.from('m')],
        ['audio/t1.wav', 'audio/wav', Buffer.alloc(0)],
      ];
      for (const [path, type, bytes] of files) await opened.storage.put(`sessions/s1/${path}`, bytes, type);
      assert.deepEqual(await opened.paths(), files.map(([path]) => `sessions/s1/${path}`).sort());
      for (const [path, type, bytes] of files) assert.deepEqual(await read(await urlOf(`sessions/s1/${path}`)), { status: 200, type, bytes: bytes.toString('base64'), cache: 'private, max-age=600' });
    });

    it('are replaced by what comes later under the same name', async () => {
      const path = 'sessions/s1/images/t1.jpg';
      await opened.storage.put(path, Buffer.from('a long first picture'), 'image/jpeg');
      await opened.storage.put(path, Buffer.from('second'), 'image/jpeg');
      assert.deepEqual([await opened.paths(), (await read(await urlOf(path))).bytes], [[path], Buffer.from('second').toString('base64')]);
    });

    it('are read until the address expires, and not by it from then on', async () => {
      const path = 'sessions/s1/images/t1.jpg';
      await opened.storage.put(path, Buffer.from('picture'), 'image/jpeg');
      const [short, long] = [await urlOf(path, minute), await urlOf(path, 10 * minute)];
      opened.pass(minute - 5_000);
      assert.deepEqual([(await read(short)).status, (await read(long)).status], [200, 200]);
      opened.pass(5_000);
      assert.deepEqual([await refused(short), (await read(long)).status], [true, 200]);
    });

    it('are not read by an address that was signed for another file, or changed in any part', async () => {
      for (const path of ['sessions/s1/images/t1.jpg', 'sessions/s2/images/t1.jpg']) await opened.storage.put(path, Buffer.from('picture'), 'image/jpeg');
      const url = await urlOf('sessions/s1/images/t1.jpg');
      assert.equal((await read(url)).status, 200);
      assert.ok(await refused(url.replace('/s1/', '/s2/')));
      const query = [...new URL(url).searchParams];
      assert.ok(query.length >= 2);
      for (const [name, value] of query) {
        const changed = new URL(url);
        changed.searchParams.set(name, value.replace(/.$/, (last) => (last === '9' ? '8' : '9')));
        assert.ok(await refused(changed.href), name);
        changed.searchParams.delete(name);
        // Without its signature it is no address that was signed at all.
        assert.notEqual((await read(changed.href)).status, 200, `without ${name}`);
      }
    });

    it('that are not there have an address that leads nowhere', async () => {
      assert.equal((await read(await urlOf('sessions/s1/images/none.jpg'))).status, 404);
    });

    it('are removed with their folder, and no other folder is, whatever its name begins with', async () => {
      const folders = ['s', 's1', 's1-', 's10', 's1_', 'S1', 's1x'];
      for (const folder of folders) for (const file of ['images/a.jpg', 'images/b.jpg', 'audio/a.wav']) await opened.storage.put(`sessions/${folder}/${file}`, Buffer.from('x'), 'image/jpeg');
      const before = await opened.paths();
      assert.equal(before.length, 3 * folders.length);
      await opened.storage.removeAll('sessions/s1');
      assert.deepEqual(await opened.paths(), before.filter((path) => !path.startsWith('sessions/s1/')));
    });

    it('are removed again and where there are none without a word', async () => {
      await opened.storage.put('sessions/s1/images/t1.jpg', Buffer.from('x'), 'image/jpeg');
      for (const folder of ['sessions/none', 'sessions/s1', 'sessions/s1']) await opened.storage.removeAll(folder);
      assert.deepEqual(await opened.paths(), []);
    });
  });
}
