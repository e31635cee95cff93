import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cert, deleteApp, initializeApp, type App } from 'firebase-admin/app';
import { getStorage } from 'firebase-admin/storage';
import { describeMediaStorage, type OpenStorage } from '../../test/media-contract.ts';
import { faultOf } from '../../test/signed-urls.ts';
import { StorageServer, type Fault } from '../../test/storage-server.ts';
import type { Bucket } from '../runtime/firebase.ts';
import type { MediaStorage } from './storage.ts';
import { bucketStorage } from './store-bucket.ts';

const bucketName = 'jiga-media';
const clientEmail = 'media@demo-unit.iam.gserviceaccount.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signer = { clientEmail, publicKey };
const credential = cert({ projectId: 'demo-unit', clientEmail, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
let apps = 0;

/** The bucket as the real SDK sees it, at this server or, without one, at Google. */
function bucketAt(address: string | null): { bucket: Bucket; app: App } {
  const app = initializeApp({ credential }, `media-${++apps}`);
  // Read when the client is made.
  if (address !== null) process.env['STORAGE_EMULATOR_HOST'] = address;
  const bucket = getStorage(app).bucket(bucketName);
  delete process.env['STORAGE_EMULATOR_HOST'];
  return { bucket, app };
}

interface OpenBucket extends OpenStorage {
  bucket: Bucket;
  server: StorageServer;
}

async function open(): Promise<OpenBucket> {
  const server = new StorageServer(bucketName, signer);
  const { bucket, app } = bucketAt(await server.listen());
  return {
    server, bucket, storage: bucketStorage(bucket),
    paths: () => [...server.objects.keys()].sort(),
    pass: (ms) => { server.ahead += ms; },
    close: async () => {
      await deleteApp(app);
      await server.close();
    },
  };
}

describeMediaStorage('Cloud Storage', open);

const methodsOf = ({ requests }: StorageServer): string[] => requests.map((request) => request.split(' ')[0]!);

describe('kept media in Cloud Storage: requests', () => {
  const path = 'sessions/s1/images/t1.jpg';
  let server: StorageServer;
  let bucket: Bucket;
  let storage: MediaStorage;
  let close: () => Promise<void>;
  beforeEach(async () => { ({ server, bucket, storage, close } = await open()); });
  afterEach(() => close());
  const put = (): Promise<void> => storage.put(path, Buffer.from('picture'), 'image/jpeg');
  const methods = (): string[] => methodsOf(server);

  it('put a file in one, with its type and how long it may be cached', async () => {
    await put();
    assert.deepEqual(server.requests, [`POST /upload/storage/v1/b/${bucketName}/o?uploadType=multipart&name=${encodeURIComponent(path)}`]);
    assert.deepEqual(server.objects.get(path)?.metadata, { contentType: 'image/jpeg', cacheControl: 'private, max-age=600' });
  });

  it('ask for nothing to sign an address', async () => {
    await storage.signedUrl(path, Date.now() + 60_000);
    assert.deepEqual(server.requests, []);
  });

  it('are made again after an answer that says later or slower, or none', async () => {
    const faults: Fault[] = [{ status: 503 }, { status: 429 }, { status: 500 }, 'lost'];
    await Promise.all(faults.map(async (fault) => {
      const each = await open();
      each.server.faults.push(fault);
      await each.storage.put(path, Buffer.from('picture'), 'image/jpeg');
      each.server.faults.push(fault, null, fault);
      await each.storage.removeAll('sessions/s1');
      assert.deepEqual([methodsOf(each.server), each.server.objects.size], [['POST', 'POST', 'GET', 'GET', 'DELETE', 'DELETE'], 0], JSON.stringify(fault));
      await each.close();
    }));
  });

  it('go on to be made again after one that failed for good', async () => {
    server.faults.push({ status: 403 }, { status: 503 });
    await assert.rejects(put(), { code: 403 });
    await put();
    assert.deepEqual([methods(), [...server.objects.keys()]], [['POST', 'POST', 'POST'], [path]]);
  });

  for (const status of [400, 403, 404, 412]) {
    it(`are not made again after ${status}, which is passed on`, async () => {
      await put();
      for (const act of [put, () => storage.removeAll('sessions/s1')]) {
        server.faults.push({ status });
        await assert.rejects(act(), { code: status });
      }
      assert.deepEqual([methods(), server.objects.size], [['POST', 'POST', 'GET'], 1]);
    });
  }

  it('leave no file behind that arrived damaged', async () => {
    server.faults.push('damaged');
    await assert.rejects(put(), { code: 'FILE_NO_UPLOAD' });
    assert.deepEqual([methods(), server.objects.size], [['POST', 'DELETE'], 0]);
  });

  it('remove page by page, and take a file that somebody else removed for removed', async () => {
    for (let index = 0; index < 7; index++) await storage.put(`sessions/s1/images/t${index}.jpg`, Buffer.from('x'), 'image/jpeg');
    server.requests.length = 0;
    server.pageSize = 3;
    server.faults.push(null, { status: 404 }, { status: 404 });
    await storage.removeAll('sessions/s1');
    assert.deepEqual(methods(), ['GET', 'DELETE', 'DELETE', 'DELETE', 'GET', 'DELETE', 'DELETE', 'DELETE', 'GET', 'DELETE']);
    assert.deepEqual(server.requests.filter((request) => request.startsWith('GET')).map((request) => new URL(request.slice(4), 'http://x').searchParams.get('prefix')), Array(3).fill('sessions/s1/'));
  });

  it('fail when there is no such bucket', async () => {
    const elsewhere = bucketStorage(bucket.storage.bucket('none'));
    await assert.rejects(elsewhere.put(path, Buffer.from('picture'), 'image/jpeg'), { code: 404 });
    await assert.rejects(elsewhere.removeAll('sessions/s1'), { code: 404 });
  });
});

describe('kept media in Cloud Storage: addresses', () => {
  const { bucket, app } = bucketAt(null);
  after(() => deleteApp(app));
  const storage = bucketStorage(bucket);
  const sign = async (path: string, ms: number): Promise<URL> => new URL(await storage.signedUrl(path, Date.now() + ms));

  it('are signed (V4) by the account of the functions, for Google\'s host and just this file', async () => {
    const url = await sign('sessions/s1/images/t1.jpg', 600_000);
    assert.equal(`${url.origin}${url.pathname}`, `https://storage.googleapis.com/${bucketName}/sessions/s1/images/t1.jpg`);
    assert.equal(faultOf(url, signer, Date.now()), null);
    for (const [part, value] of [['hostname', 'evil.example'], ['pathname', `/${bucketName}/sessions/s2/images/t1.jpg`]] as const) {
      const forged = new URL(url);
      forged[part] = value;
      assert.equal(faultOf(forged, signer, Date.now()), 'signature');
    }
    const another = { clientEmail, publicKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey };
    assert.equal(faultOf(url, another, Date.now()), 'signature');
  });

  it('expire when they are said to', async () => {
    const at = Date.now();
    const url = await sign('sessions/s1/audio/t1.wav', 600_000);
    assert.ok(Math.abs(Number(url.searchParams.get('X-Goog-Expires')) - 600) <= 1);
    assert.deepEqual([faultOf(url, signer, at + 598_000), faultOf(url, signer, at + 602_000)], [null, 'expired']);
  });

  it('are encoded once, whatever a path has in it', async () => {
    for (const path of ['sessions/s_1-x/images/-_.jpg', "sessions/s1/images/a b+c%20(ä)'*!~.jpg", 'sessions/s1/images/..%2f#?&=.jpg']) {
      const url = await sign(path, 60_000);
      assert.equal(decodeURIComponent(url.pathname), `/${bucketName}/${path}`);
      assert.equal(faultOf(url, signer, Date.now()), null, path);
      assert.equal([...url.searchParams].length, 6);
    }
  });
});
