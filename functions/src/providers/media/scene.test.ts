import assert from 'node:assert/strict';
import sharp from 'sharp';
import { sampleFrame } from '../../../test/vendors/collect.ts';
import { colourName, compare } from './pixels.ts';
import { readScene } from './scene.ts';

const badMedia = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_media' } };

/** A picture of one colour with a white square of 80 by 80 pixels in it. */
const withSquare = (left: number, top: number) =>
  sharp({ create: { width: 320, height: 320, channels: 3, background: '#000' } })
    .composite([{ input: { create: { width: 80, height: 80, channels: 3, background: '#fff' } }, left, top }])
    .jpeg()
    .toBuffer();

describe('scene: what the pixels say', () => {
  it('measures flat pictures exactly', async () => {
    const white = await readScene(await sharp({ create: { width: 10, height: 10, channels: 3, background: '#fff' } }).png().toBuffer());
    assert.deepEqual(white.colours, [{ name: 'white', share: 1 }]);
    assert.ok(Math.abs(white.brightness - 1) < 1e-9 && white.contrast < 1e-9 && white.detail === 0);
    assert.equal(Buffer.from(white.fingerprint, 'base64').length, 64);
    const clear = await readScene(await sharp({ create: { width: 10, height: 10, channels: 4, background: '#fff0' } }).webp().toBuffer());
    assert.deepEqual(clear.colours, [{ name: 'black', share: 1 }]);
  });

  it('describes a sample frame, the same each time', async () => {
    const [scene, again] = await Promise.all([readScene(sampleFrame(0)), readScene(sampleFrame(0))]);
    assert.deepEqual(scene, again);
    assert.deepEqual(scene.size, { width: 640, height: 360 });
    assert.deepEqual(scene.colours.map(({ name }) => name), ['blue', 'brown']);
    assert.ok(scene.brightness > 0.4 && scene.brightness < 0.7);
    assert.equal(scene.motion, null);
  });

  it('finds how much moved and where', async () => {
    const empty = await readScene(await withSquare(0, 240));
    const corner = await readScene(await withSquare(240, 0), { before: empty.fingerprint });
    assert.ok(corner.motion && corner.motion.amount > 0.05 && corner.motion.amount < 0.2);
    assert.equal(corner.motion.region, 'centre'); // it left one corner and appeared in the other
    const dark = Buffer.alloc(64).toString('base64');
    assert.equal((await readScene(await withSquare(240, 0), { before: dark })).motion?.region, 'upper right');
    assert.deepEqual((await readScene(await withSquare(240, 0), { before: corner.fingerprint })).motion, { amount: 0, region: null });
  });

  it('sees motion between neighbouring sample frames', async () => {
    let before: string | undefined;
    for (let index = 0; index < 36; index += 1) {
      const scene = await readScene(sampleFrame(index), { before });
      if (before) assert.ok(scene.motion && scene.motion.amount > 0, `frame ${index}`);
      before = scene.fingerprint;
    }
  });

  it('ignores a fingerprint that is none', async () => {
    for (const before of ['', 'AAAA', '!!!', 'x'.repeat(5000)]) assert.equal((await readScene(sampleFrame(0), { before })).motion, null);
  });

  it('refuses damaged, foreign and oversized pictures', async () => {
    const whole = sampleFrame(0);
    const broken = await sharp(whole).png().toBuffer();
    broken.fill(0xff, 700, 1200);
    const refused = [Buffer.alloc(0), whole.subarray(0, 3000), broken, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')];
    for (const bytes of refused) await assert.rejects(readScene(bytes), badMedia);
    await assert.rejects(readScene(whole, { maxPixels: 640 * 360 - 1 }), badMedia);
  });
});

describe('scene: names', () => {
  it('names colours in plain words', () => {
    const samples = { '#000000': 'black', '#ffffff': 'white', '#808080': 'grey', '#ff0000': 'red', '#ff8800': 'orange', '#804000': 'brown', '#ffff00': 'yellow', '#00aa00': 'green', '#008888': 'teal', '#2244ff': 'blue', '#8822cc': 'purple', '#ff66bb': 'pink' };
    for (const [hex, name] of Object.entries(samples)) {
      const [r = 0, g = 0, b = 0] = Buffer.from(hex.slice(1), 'hex');
      assert.equal(colourName(r, g, b), name, hex);
    }
  });

  it('names all nine regions', () => {
    const names = [0, 3, 7, 24, 27, 31, 56, 59, 63].map((cell) => compare(new Uint8Array(64), new Uint8Array(64).fill(200, cell, cell + 1)).region);
    assert.deepEqual(names, ['upper left', 'upper middle', 'upper right', 'left', 'centre', 'right', 'lower left', 'lower middle', 'lower right']);
  });
});
