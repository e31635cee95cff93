import assert from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { sampleFrame } from '../../../test/vendors/collect.ts';
import { seeFrame } from './vision.ts';

const badMedia = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_media' } };
const refused = (message: RegExp) => ({ ...badMedia, message });
const damaged = refused(/damaged or incomplete/);
const see = (bytes: Buffer, maxPixels = 16_000_000) => seeFrame({ mime: 'image/jpeg', bytes }, { mode: 'standard', maxPixels });
const flat = (width: number, height: number, background = '#336699') => sharp({ create: { width, height, channels: 3, background } });
const sizeOf = (jpeg: Buffer) => sharp(jpeg).metadata().then(({ width, height }) => `${width}x${height}`);

const chunk = (type: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};
/** A PNG of 8-bit RGB or, with `bilevel`, of single bits, that says it is so large, and carries these bytes of pixels. */
const png = (width: number, height: number, pixels: Buffer, { before = [], bilevel = false }: { before?: Buffer[]; bilevel?: boolean } = {}) => {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, ...(bilevel ? [1, 0] : [8, 2]), 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), ...before, chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))]);
};
/** A JPEG whose frame header says another size. */
const saying = (jpeg: Buffer, width: number, height: number) => {
  const changed = Buffer.from(jpeg);
  let at = 2;
  while (changed[at + 1] !== 0xc0 && changed[at + 1] !== 0xc2) at += 2 + changed.readUInt16BE(at + 2);
  changed.writeUInt16BE(height, at + 5);
  changed.writeUInt16BE(width, at + 7);
  return changed;
};

describe('decode: what is refused', () => {
  it('what is no picture', async () => {
    await assert.rejects(see(Buffer.alloc(0)), refused(/is empty/));
    for (const text of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'GIF89a', 'PK\x03\x04', 'BM', '%PDF-1.7', 'II*\0']) await assert.rejects(see(Buffer.from(text.padEnd(64, '\0'), 'latin1')), refused(/not a JPEG, PNG or WebP/));
  });

  it('a JPEG or WebP that is cut anywhere, and a PNG that is cut before its last pixel', async () => {
    const files = { jpeg: await sharp(sampleFrame(0)).toBuffer(), progressive: await sharp(sampleFrame(0)).jpeg({ progressive: true }).toBuffer(), webp: await sharp(sampleFrame(0)).webp().toBuffer(), png: await sharp(sampleFrame(0)).resize(160).png().toBuffer() };
    for (const [name, whole] of Object.entries(files)) {
      await see(whole);
      const last = name === 'png' ? whole.length - 40 : whole.length - 1;
      for (let cut = 1; cut <= last; cut += Math.ceil(last / 60)) await assert.rejects(see(whole.subarray(0, cut)), badMedia, `${name} cut at ${cut} of ${whole.length}`);
      await assert.rejects(see(whole.subarray(0, last)), badMedia, name);
    }
  });

  it('a picture with damage inside, even where a decoder would paint it over', async () => {
    const whole = await sharp(sampleFrame(0)).resize(1280).jpeg().toBuffer();
    const holed = Buffer.from(whole).fill(0x77, whole.length / 2, whole.length / 2 + 200);
    for (const bytes of [holed, Buffer.concat([whole.subarray(0, whole.length / 2), Buffer.from([0xff, 0xd9])])]) await assert.rejects(see(bytes), damaged);
    const broken = (await sharp(sampleFrame(0)).png().toBuffer()).fill(0xff, 700, 1200);
    await assert.rejects(see(broken), damaged);
  });

  it('nothing but with bad_media, whatever is changed in a file', async () => {
    const tagged = flat(48, 32).withIccProfile('p3').withExif({ IFD0: { Artist: 'somebody' } });
    const files = await Promise.all([tagged.clone().jpeg().toBuffer(), tagged.clone().jpeg({ progressive: true }).toBuffer(), tagged.clone().png().toBuffer(), tagged.clone().webp().toBuffer()]);
    const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    await fc.assert(fc.asyncProperty(fc.constantFrom(...files), changes, async (file, list) => {
      const bytes = Buffer.from(file);
      for (const [at, value] of list) bytes[Math.floor(at * (bytes.length - 1))] = value;
      const seen = await see(bytes).catch((error: { details?: { reason: string } }) => error);
      assert.ok('frame' in seen ? seen.frame.bytes.length > 0 : seen.details?.reason === 'bad_media');
    }), { numRuns: 300 });
  });

  it('an animation', async () => {
    const pages = Buffer.concat([await flat(64, 64, '#f00').raw().toBuffer(), await flat(64, 64, '#0f0').raw().toBuffer()]);
    await assert.rejects(see(await sharp(pages, { raw: { width: 64, height: 128, channels: 3, pageHeight: 64 } }).webp({ loop: 0 }).toBuffer()), refused(/animation/));
    const control = (frames: number) => chunk('acTL', Buffer.from([0, 0, 0, frames, 0, 0, 0, 0]));
    await assert.rejects(see(png(10, 10, Buffer.alloc(310), { before: [control(2)] })), refused(/animation/));
    assert.equal(await sizeOf((await see(png(10, 10, Buffer.alloc(310), { before: [control(1)] }))).frame.bytes), '10x10');
  });

  it('too many pixels, before decoding them', async () => {
    const bomb = png(20_000, 20_000, Buffer.alloc(20_000 * 2501), { bilevel: true });
    assert.ok(bomb.length < 100_000);
    assert.deepEqual(await sharp(bomb, { limitInputPixels: false }).metadata().then(({ width, height }) => [width, height]), [20_000, 20_000]);
    await assert.rejects(see(bomb), refused(/at most 16000000 pixels/));
    await assert.rejects(see(sampleFrame(0), 640 * 360 - 1), refused(/at most 230399 pixels/));
    await assert.rejects(see(png(2_000_000, 8, Buffer.alloc(0))), refused(/at most 16384 pixels a side/));
  });

  it('a JPEG that is unpacked again and again', async () => {
    const whole = await flat(64, 64).jpeg({ progressive: true }).toBuffer();
    const lastScan = whole.subarray(whole.lastIndexOf('ffda', undefined, 'hex'), -2);
    const bytes = Buffer.concat([whole.subarray(0, -2), ...new Array<Buffer>(100).fill(lastScan), whole.subarray(-2)]);
    await assert.rejects(see(bytes), refused(/more than 100 scans/));
  });

  it('a header that lies: no more is decoded than it says, and no less is accepted', async () => {
    const jpeg = await sharp(sampleFrame(0)).jpeg().toBuffer();
    const small = await flat(10, 10).jpeg().toBuffer();
    assert.equal(await sizeOf((await see(saying(jpeg, 10, 10))).frame.bytes), '10x10');
    assert.equal(await sizeOf((await see(png(10, 10, Buffer.alloc(50_000_000)))).frame.bytes), '10x10');
    await assert.rejects(see(saying(small, 4000, 4000)), damaged);
    await assert.rejects(see(png(4000, 4000, Buffer.alloc(310))), damaged);
    const webp = await sharp(sampleFrame(0)).ensureAlpha(0.5).webp().toBuffer();
    for (const side of [9, 3999]) {
      const lying = Buffer.from(webp);
      lying.writeUIntLE(side, 24, 3);
      lying.writeUIntLE(side, 27, 3);
      await assert.rejects(see(lying), damaged);
    }
  });

  it('fifty bombs, without keeping their memory', async () => {
    const inflating = (type: string) => chunk(type, Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(100_000_000))]));
    const bombs = [
      png(20_000, 20_000, Buffer.alloc(20_000 * 2501), { bilevel: true }),
      png(4000, 4000, Buffer.alloc(4000 * 12_001)),
      png(10, 10, Buffer.alloc(310), { before: [inflating('zTXt')] }),
      png(10, 10, Buffer.alloc(310), { before: [inflating('iCCP')] }),
    ];
    const all = async (count: number) => {
      for (let index = 0; index < count; index += 1) await see(bombs[index % bombs.length]!).catch((error: unknown) => assert.equal((error as { code: string }).code, 'invalid-argument'));
    };
    await all(bombs.length);
    const before = process.memoryUsage.rss();
    await all(50);
    const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
    // One bomb that were unfolded and kept would be 45 MiB or more, so 50 would be far beyond this; what others in the process use is not.
    assert.ok(grown < 512, `grew by ${Math.round(grown)} MiB`);
  }).timeout(60_000);
});

describe('decode: many at once', () => {
  it('wait for each other, and all get their picture', async () => {
    const frames = await Promise.all(Array.from({ length: 12 }, () => seeFrame({ mime: 'image/jpeg', bytes: sampleFrame(0) }, { mode: 'standard', maxPixels: 1_000_000 })));
    assert.equal(new Set(frames.map(({ fingerprint }) => fingerprint)).size, 1);
  });

  it('go on after one that cannot be read', async () => {
    const see = (bytes: Buffer) => seeFrame({ mime: 'image/jpeg', bytes }, { mode: 'standard', maxPixels: 1_000_000 }).then(() => true, () => false);
    const whole = sampleFrame(0);
    const outcomes = await Promise.all(Array.from({ length: 9 }, (_, index) => see(index % 3 === 0 ? whole.subarray(0, whole.length / 2) : whole)));
    assert.deepEqual(outcomes, Array.from({ length: 9 }, (_, index) => index % 3 !== 0));
  });
});
