import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { sign } from '../src/media/file-address.ts';
import { removeMedia } from '../src/media/store.ts';
import { keyOf } from '../src/media/store-folder.ts';
import type { KeptMedia, MediaDoc } from '../src/media/schema.ts';
import { audioSeconds, sniffAudio } from '../src/providers/media/media.ts';
import { deploy, endInstances } from './deployed.ts';
import { refusedWith } from './evidence.ts';
import { frames } from './frames.ts';
import { admin, apiUrl, clientOf, closeClients, givePlayer, givePlayerOf, readAll, refusal, type Player } from './harness.ts';
import { askRaw } from './raw-http.ts';
import { StorageServer } from './storage-server.ts';

after(closeClients);
after(endInstances);

const folder = process.env['MEDIA_FOLDER'] ?? '';
const keeping = { keptMedia: ['images', 'audio'] };

/** The files in the media folder of the suite that belong to a session, without their root. */
async function filesOf(sessionId: string): Promise<string[]> {
  const place = join(folder, 'sessions', sessionId);
  if (!existsSync(place)) return [];
  return (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1)).sort();
}

const start = async (player: Player): Promise<string> => (await player.call('startSession', { agentInstanceId: player.agentInstanceId })).sessionId;

async function inviteTo(owner: Player, sessionId: string, role: 'player' | 'spectator'): Promise<Player> {
  const guest = await givePlayer();
  await guest.call('joinSession', { invite: (await owner.call('shareSession', { sessionId, role })).invite });
  return guest;
}

/** A REST call that follows no redirect. */
async function rest(as: Player | null, path: string, method = 'GET'): Promise<Response> {
  return fetch(`${apiUrl}/v1${path}`, { method, redirect: 'manual', headers: as ? { authorization: `Bearer ${await as.idToken()}` } : {} });
}

const errorOf = async (response: Response): Promise<[number, string, string | undefined]> => {
  const { error } = await response.json() as { error: { code: string; details?: { reason: string } } };
  return [response.status, error.code, error.details?.reason];
};

/** A frame as a phone takes it: large, turned by its EXIF, which also says where and by whom. */
async function phonePicture(): Promise<Buffer> {
  const picture = sharp({ create: { width: 3_000, height: 1_500, channels: 3, background: '#26f' } });
  return picture.withMetadata({ orientation: 6 }).withExifMerge({ IFD0: { Artist: 'planted-artist' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100', GPSLongitudeRef: 'W', GPSLongitude: '0/1 7/1 40/1' } }).jpeg().toBuffer();
}

describe('a session whose product keeps frames and sound', function () {
  this.timeout(120_000);

  let owner: Player;
  let guest: Player;
  let spectator: Player;
  let sessionId: string;
  let image: KeptMedia;
  let sound: KeptMedia;
  let spoken: Buffer;

  before(async () => {
    owner = await givePlayerOf('gemini-elite', keeping);
    sessionId = await start(owner);
    [guest, spectator] = [await inviteTo(owner, sessionId, 'player'), await inviteTo(owner, sessionId, 'spectator')];
    const picture = await phonePicture();
    const { exif, orientation } = await sharp(picture).metadata();
    assert.deepEqual([exif?.includes('planted-artist'), orientation], [true, 6]);
    const seen = await owner.call('processFrame', { sessionId, requestId: 'seen', frameData: picture.toString('base64'), visionMode: 'standard' });
    assert.deepEqual(seen.keptMedia, [{ type: 'images', file: `${seen.turnId}.jpg` }]);
    const said = await guest.call('processFrame', { sessionId, requestId: 'said', instruction: 'Hello there' });
    assert.deepEqual(said.keptMedia, [{ type: 'audio', file: `${said.turnId}.wav` }]);
    [image, sound, spoken] = [seen.keptMedia[0]!, said.keptMedia[0]!, Buffer.from(said.speech!.audioData!, 'base64')];
  });

  it('has them as they were looked at and spoken, and nothing of what else came with the frame', async () => {
    assert.deepEqual(await filesOf(sessionId), [`audio/${sound.file}`, `images/${image.file}`]);
    const bytes = await readFile(join(folder, 'sessions', sessionId, 'images', image.file));
    const { format, width, height, exif, xmp, icc, orientation } = await sharp(bytes).metadata();
    assert.deepEqual([format, width, height, exif, xmp, icc, orientation], ['jpeg', 512, 1_024, undefined, undefined, undefined, undefined]);
    for (const text of ['planted-artist', 'Exif', 'GPS']) assert.ok(!bytes.includes(Buffer.from(text, 'latin1')), text);
    const { channels } = await sharp(bytes).stats();
    assert.ok(channels.every(({ mean }, index) => Math.abs(mean - [0x22, 0x66, 0xff][index]!) < 4), 'the pixels are those of the frame');
    const wav = await readFile(join(folder, 'sessions', sessionId, 'audio', sound.file));
    assert.ok(wav.equals(spoken));
    assert.deepEqual([sniffAudio(wav), audioSeconds(wav, 'audio/wav') > 1], ['audio/wav', true]);
  });

  it('says who took which turn, to every member, newest first and without an address', async () => {
    const docs = await readAll<MediaDoc>(`sessions/${sessionId}/media`);
    assert.deepEqual(docs.map(({ file, by }) => [file, by]).sort(), [[image.file, owner.uid], [sound.file, guest.uid]].sort());
    for (const member of [owner, guest, spectator]) {
      const { media, nextCursor } = await member.call('listMedia', { sessionId });
      assert.deepEqual([media.map(({ file, type, mimeType, memberId }) => [file, type, mimeType, memberId]), nextCursor], [[[sound.file, 'audio', 'audio/wav', guest.uid], [image.file, 'images', 'image/jpeg', owner.uid]], null]);
      assert.doesNotMatch(JSON.stringify(media), /http|signature/);
    }
    const first = await owner.call('listMedia', { sessionId, limit: 1 });
    const second = await (await rest(owner, `/sessions/${sessionId}/media?limit=1&cursor=${encodeURIComponent(first.nextCursor!)}`)).json() as typeof first;
    assert.deepEqual([first, second].map(({ media }) => media.map(({ file }) => file)), [[sound.file], [image.file]]);
    assert.equal(second.nextCursor, null);
  });

  it('leads every member to them over REST, and tells the address to callables', async () => {
    for (const member of [owner, guest, spectator]) {
      const found = await rest(member, `/media/${sessionId}/images/${image.file}`);
      assert.deepEqual([found.status, found.headers.get('cache-control'), await found.text()], [302, 'private, no-store', '']);
      const picture = await fetch(found.headers.get('location')!);
      assert.deepEqual([picture.status, picture.headers.get('content-type'), picture.headers.get('x-content-type-options')], [200, 'image/jpeg', 'nosniff']);
      assert.ok(Buffer.from(await picture.arrayBuffer()).equals(await readFile(join(folder, 'sessions', sessionId, 'images', image.file))));

      const before = Date.now();
      const { url, mimeType, bytes, expiresAt } = await member.call('getMedia', { sessionId, ...sound });
      assert.deepEqual([mimeType, bytes], ['audio/wav', spoken.length]);
      assert.ok(Math.abs(Date.parse(expiresAt) - before - 600_000) < 10_000);
      const heard = await fetch(url);
      assert.equal(heard.headers.get('content-type'), 'audio/wav');
      assert.ok(Buffer.from(await heard.arrayBuffer()).equals(spoken));
    }
    const part = await fetch((await owner.call('getMedia', { sessionId, ...sound })).url, { headers: { range: 'bytes=0-3' } });
    assert.deepEqual([part.status, await part.text()], [206, 'RIFF']);
    assert.equal((await rest(owner, `/media/${sessionId}/images/${image.file}`, 'HEAD')).status, 302);
  });

  it('shows nothing to anybody else, who cannot tell it from a session that is not there', async () => {
    const [stranger, removed] = [await givePlayer(), await inviteTo(owner, sessionId, 'player')];
    assert.equal((await rest(removed, `/media/${sessionId}/images/${image.file}`)).status, 302);
    await owner.call('removeMember', { sessionId, userId: removed.uid });
    const answers = await Promise.all([
      refusedWith(stranger.call('getMedia', { sessionId, ...image })), refusedWith(removed.call('getMedia', { sessionId, ...image })), refusedWith(stranger.call('getMedia', { sessionId: 'unknown', ...image })),
      refusedWith(owner.call('getMedia', { sessionId, type: 'images', file: 'unknown.jpg' })), refusedWith(owner.call('getMedia', { sessionId, type: 'audio', file: image.file })),
    ]);
    assert.deepEqual(answers, answers.map(() => answers[0]));
    assert.deepEqual([answers[0].code, answers[0].details], ['not-found', { reason: 'not_found' }]);
    for (const each of [stranger, removed]) {
      assert.deepEqual(await errorOf(await rest(each, `/media/${sessionId}/images/${image.file}`)), [404, 'not-found', 'not_found']);
      assert.equal((await refusal(each.call('listMedia', { sessionId }))).reason, 'not_found');
    }
    assert.deepEqual(await errorOf(await rest(null, `/media/${sessionId}/images/${image.file}`)), [401, 'unauthenticated', 'signed_out']);
    assert.equal((await refusal((await clientOf(null)).call('getMedia', { sessionId, ...image }))).reason, 'signed_out');
    assert.equal((await rest(stranger, `/media/${sessionId}/images/${image.file}`, 'HEAD')).status, 404);
  });

  it('is not opened by an address that has expired or was made up', async () => {
    const { url } = await owner.call('getMedia', { sessionId, ...image });
    assert.equal((await fetch(url)).status, 200);
    const path = `sessions/${sessionId}/images/${image.file}`;
    const past = sign(await keyOf(folder), path, Date.now() - 1_000);
    const other = sign(Buffer.alloc(32), path, Date.now() + 60_000);
    const at = url.split('?')[0]!;
    const bad = [`${at}?${new URLSearchParams({ ...past }).toString()}`, `${at}?${new URLSearchParams({ ...other }).toString()}`, at, url.replace(image.file, 'another.jpg'), url.replace(/expires=\d+/, `expires=${Date.now() + 900_000}`), `${url}x`];
    for (const address of bad) assert.deepEqual(await errorOf(await fetch(address)), [403, 'permission-denied', undefined], address);
  });

  it('is not left by any name of a file', async () => {
    const token = { authorization: `Bearer ${await owner.idToken()}` };
    const { origin, pathname } = new URL(apiUrl);
    const names = ['../../config/server', '..%2f..%2fkey', '%2e%2e%2f%2e%2e%2fkey', '..%5c..%5ckey', '%2e%2e', '..', 'key', `${image.file}%00`, `%00${image.file}`, '%2fetc%2fpasswd', `${'x'.repeat(65)}.jpg`, 'x'.repeat(4_000), 'a.svg', 'a.jpg.exe', `${sessionId}%2fimages%2f${image.file}`];
    for (const name of names) {
      const { status, body } = await askRaw(origin, `${pathname}/v1/media/${sessionId}/images/${name}`, token);
      assert.ok(status === 400 || status === 404, `${name}: ${status}`);
      assert.match(body, /^\{"error":\{"code":"(invalid-argument|not-found)"/, name);
      assert.equal((await refusal(owner.callRaw('getMedia', { sessionId, type: 'images', file: decodeURIComponent(name) }))).reason, 'bad_input', name);
    }
    for (const input of [{ type: '..', file: image.file }, { type: 'images/..', file: image.file }, { type: 'images' }, { type: 'images', file: image.file, path: 'x' }]) assert.equal((await refusal(owner.callRaw('getMedia', { sessionId, ...input }))).reason, 'bad_input');
  });

  it('leaves no signature in the log', () => {
    const log = process.env['JIGA_EMULATOR_LOG'];
    assert.ok(log !== undefined && existsSync(log));
    assert.doesNotMatch(readFileSync(log, 'utf8'), /signature=/i);
  });

  it('goes on showing them once it has ended, until they are removed with it', async () => {
    await owner.call('endSession', { sessionId });
    const { url } = await spectator.call('getMedia', { sessionId, ...image });
    assert.equal((await fetch(url)).status, 200);
    await removeMedia(sessionId);
    assert.deepEqual([await filesOf(sessionId), await readAll(`sessions/${sessionId}/media`)], [[], []]);
    assert.deepEqual(await errorOf(await fetch(url)), [404, 'not-found', 'not_found']);
    assert.equal((await refusal(spectator.call('getMedia', { sessionId, ...image }))).reason, 'not_found');
    await removeMedia(sessionId);
  });
});

describe('a session whose product keeps nothing', () => {
  it('leaves no file and no document, whatever is seen and said in it', async () => {
    const owner = await givePlayer({ productId: 'gemini-elite', dofs: 5_000 });
    const sessionId = await start(owner);
    const turn = await owner.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0], instruction: 'What do you see?' });
    assert.ok(turn.speech?.audioData);
    await owner.call('endSession', { sessionId });
    assert.deepEqual([turn.keptMedia, await filesOf(sessionId), await readAll(`sessions/${sessionId}/media`), (await owner.call('listMedia', { sessionId })).media], [[], [], [], []]);
    assert.ok(!(await readdir(folder, { recursive: true }).catch(() => [])).some((path) => path.includes(turn.turnId) || path.includes(sessionId)));
    await removeMedia(sessionId);
  });
});

describe('functions as they are deployed, with a bucket', () => {
  it('keep media in Cloud Storage and sign addresses with their own account', async function () {
    this.timeout(120_000);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const clientEmail = 'jiga@demo-jiga.iam.gserviceaccount.com';
    const server = new StorageServer('jiga-media', { clientEmail, publicKey });
    const place = await mkdtemp(join(tmpdir(), 'jiga-account-'));
    const account = join(place, 'account.json');
    await writeFile(account, JSON.stringify({ type: 'service_account', project_id: 'demo-jiga', client_email: clientEmail, private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }));
    const env = { MEDIA_BUCKET: 'jiga-media', STORAGE_EMULATOR_HOST: await server.listen(), GOOGLE_APPLICATION_CREDENTIALS: account };
    try {
      const owner = await givePlayerOf('gemini-elite', keeping);
      const sessionId = await start(owner);
      const [turns, media] = [await deploy('processFrame', env), await deploy('getMedia', env)];
      const idToken = await owner.idToken();
      const { result } = await turns.call(idToken, { sessionId, requestId: 'r1', frameData: frames[0], instruction: 'What do you see?' });
      const { turnId, keptMedia } = result as { turnId: string; keptMedia: KeptMedia[] };
      assert.deepEqual(keptMedia, [{ type: 'images', file: `${turnId}.jpg` }, { type: 'audio', file: `${turnId}.wav` }]);
      assert.deepEqual([...server.objects.keys()].sort(), [`sessions/${sessionId}/audio/${turnId}.wav`, `sessions/${sessionId}/images/${turnId}.jpg`]);
      for (const each of keptMedia) {
        const { url, mimeType } = (await media.call(idToken, { sessionId, ...each })).result as { url: string; mimeType: string };
        const response = await fetch(url);
        assert.deepEqual([response.status, response.headers.get('content-type')], [200, mimeType]);
        assert.ok(Buffer.from(await response.arrayBuffer()).equals(server.objects.get(`sessions/${sessionId}/${each.type}/${each.file}`)!.bytes));
      }
      assert.deepEqual(await filesOf(sessionId), []);
      server.faults.push({ status: 403 }, { status: 403 });
      const unkept = (await turns.call(idToken, { sessionId, requestId: 'r2', frameData: frames[9], instruction: 'And now?' })).result as { outcome: string; keptMedia: unknown[] };
      assert.deepEqual([unkept.outcome, unkept.keptMedia, server.objects.size, (await admin().firestore.collection(`sessions/${sessionId}/media`).get()).size], ['complete', [], 2, 2]);
    } finally {
      await endInstances();
      await server.close();
      await rm(place, { recursive: true });
    }
  });
});
