import assert from 'node:assert/strict';
import sharp from 'sharp';
import { sampleFrame } from '../../../test/vendors/collect.ts';
import { readScene } from './scene.ts';
import { difference } from './difference.ts';
import { seeFrame, type SeenFrame } from './vision.ts';

const see = (bytes: Buffer, mode: Parameters<typeof seeFrame>[1]['mode'] = 'standard', maxPixels = 16_000_000) => seeFrame({ mime: 'image/jpeg', bytes }, { mode, maxPixels });
const flat = (width: number, height: number, background = '#336699') => sharp({ create: { width, height, channels: 3, background } });
const sizeOf = async ({ frame }: SeenFrame) => sharp(frame.bytes).metadata().then(({ width, height }) => `${width}x${height}`);
/** Colour of the middle of what is sent. */
const middleOf = async ({ frame }: SeenFrame) => {
  const { data, info } = await sharp(frame.bytes).raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray((Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * 3).subarray(0, 3)];
};
const near = (actual: number[], expected: number[], by = 6) => assert.ok(actual.every((value, index) => Math.abs(value - expected[index]!) <= by), `${actual.join()} is not ${expected.join()}`);
/** Markers of a JPEG before its pixels. */
const markersOf = (bytes: Buffer) => {
  const markers = [];
  for (let at = 2; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) markers.push(bytes[at + 1]!.toString(16));
  return markers;
};

describe('vision: what is sent', () => {
  it('fits the mode, and is never enlarged', async () => {
    const wide = await flat(3840, 2160).jpeg().toBuffer();
    const sizes = { standard: '1024x576', burst: '512x288', continuous: '512x288', detail: '2048x1152' } as const;
    for (const [mode, size] of Object.entries(sizes)) assert.equal(await sizeOf(await see(wide, mode as keyof typeof sizes)), size, mode);
    assert.equal(await sizeOf(await see(sampleFrame(0))), '640x360');
    assert.equal(await sizeOf(await see(await flat(1000, 3000).jpeg().toBuffer())), '341x1024');
    assert.deepEqual((await see(wide)).size, { width: 3840, height: 2160 });
  });

  it('takes pictures of extreme shapes', async () => {
    assert.equal(await sizeOf(await see(await flat(1, 1).png().toBuffer())), '1x1');
    assert.equal(await sizeOf(await see(await flat(1, 16_000).png().toBuffer())), '1x1024');
    assert.equal(await sizeOf(await see(await flat(16_000, 1).webp().toBuffer())), '1024x1');
  });

  it('is a JPEG that carries pixels and nothing else', async () => {
    const planted = ['planted-artist', 'planted-xmp', 'planted-profile', 'GPS', 'Exif', 'ICC_PROFILE', '<html>', 'PK\x03\x04'];
    const tagged = sharp(sampleFrame(0)).withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">planted-xmp</x:xmpmeta>').withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'planted-artist', Copyright: 'planted-profile GPS' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' } });
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const whole = await tagged.clone().toFormat(format).toBuffer();
      const { gps, xmp } = await sharp(whole).metadata().then(({ exif, xmp }) => ({ gps: exif?.includes('planted-artist'), xmp: xmp?.includes('planted-xmp') }));
      assert.ok(gps && xmp, format);
      const { frame } = await see(Buffer.concat([whole, Buffer.from('PK\x03\x04<html><script>planted()</script>', 'latin1')]));
      assert.equal(frame.mime, 'image/jpeg');
      for (const text of planted) assert.ok(!frame.bytes.includes(Buffer.from(text, 'latin1')), `${format}: ${text}`);
      assert.deepEqual([...new Set(markersOf(frame.bytes))], ['db', 'c0', 'c4']); // quantisation, frame, Huffman
      const { exif, xmp: xmpLeft, icc, iptc } = await sharp(frame.bytes).metadata();
      assert.deepEqual([exif, xmpLeft, icc, iptc], [undefined, undefined, undefined, undefined]);
    }
  });

  it('is upright, whatever its EXIF says', async () => {
    const halves = sharp({ create: { width: 80, height: 40, channels: 3, background: '#f00' } }).composite([{ input: { create: { width: 40, height: 40, channels: 3, background: '#00f' } }, left: 0, top: 0 }]);
    const upright = await see(await halves.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer());
    assert.deepEqual(upright.size, { width: 40, height: 80 });
    assert.equal(await sizeOf(upright), '40x80');
    const top = await sharp(upright.frame.bytes).extract({ left: 10, top: 10, width: 1, height: 1 }).raw().toBuffer();
    near([...top], [0, 0, 254], 12); // the left half came up
  });

  it('has the colours that were meant', async () => {
    const colour = '#c83232';
    const rgb = [200, 50, 50];
    const wanted: Record<string, Buffer> = {
      'another profile': await flat(64, 64, colour).withIccProfile('p3').jpeg({ quality: 100 }).toBuffer(),
      CMYK: await flat(64, 64, colour).toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer(),
      '16 bits': await flat(64, 64, colour).toColourspace('rgb16').png().toBuffer(),
      palette: await flat(64, 64, colour).png({ palette: true }).toBuffer(),
    };
    assert.deepEqual((await sharp(wanted.CMYK).metadata()).space, 'cmyk');
    assert.deepEqual((await sharp(wanted['16 bits']).metadata()).depth, 'ushort');
    for (const [name, bytes] of Object.entries(wanted)) near(await middleOf(await see(bytes)), rgb, name === 'CMYK' ? 16 : 6);
    // Read without its profile, the first would be another red.
    assert.ok(Math.abs((await sharp(wanted['another profile'], { ignoreIcc: true }).raw().toBuffer()).readUInt8(0) - 200) > 8);
    near(await middleOf(await see(await flat(64, 64, '#808080').toColourspace('b-w').jpeg().toBuffer())), [128, 128, 128]);
  });

  it('is on black where it is transparent', async () => {
    const clear = sharp({ create: { width: 32, height: 32, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0 } } });
    const half = sharp({ create: { width: 32, height: 32, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0.5 } } });
    for (const format of ['png', 'webp'] as const) {
      near(await middleOf(await see(await clear.clone().toFormat(format).toBuffer())), [0, 0, 0]);
      near(await middleOf(await see(await half.clone().toFormat(format).toBuffer())), [128, 128, 128]);
    }
    for (const space of ['b-w', 'grey16', 'rgb16']) near(await middleOf(await see(await half.clone().toColourspace(space).png().toBuffer())), [128, 128, 128]);
  });
});

describe('vision: what has changed', () => {
  const grey = (level: number) => ({ r: level, g: level, b: level });
  /** A still picture with a figure on it. */
  const withFigure = async (left: number, top: number, side = 24, level = 200) => see(await sharp({ create: { width: 640, height: 360, channels: 3, background: grey(80) } })
    .composite([{ input: { create: { width: side, height: side, channels: 3, background: grey(level) } }, left, top }]).jpeg().toBuffer());

  it('nothing in the same frame, however it is encoded and whatever the mode', async () => {
    for (const index of [0, 7, 21]) {
      const whole = sampleFrame(index);
      const { fingerprint, frame } = await see(whole);
      const again = [whole, frame.bytes, await sharp(whole).jpeg({ quality: 40 }).toBuffer(), await sharp(whole).webp().toBuffer(), await sharp(whole).png().toBuffer()];
      for (const bytes of again) assert.equal(difference(fingerprint, (await see(bytes)).fingerprint), 0);
      assert.equal(difference(fingerprint, (await see(whole, 'burst')).fingerprint), 0);
      assert.equal(difference(fingerprint, (await readScene(frame.bytes)).fingerprint), 0);
    }
  });

  it('a little, when a small figure moves in an otherwise still picture', async () => {
    const at = await withFigure(162, 92);
    const within = difference(at.fingerprint, (await withFigure(186, 92)).fingerprint); // it stays in its cell, 80 by 45 pixels
    assert.equal(within, 1 / 64);
    assert.equal(difference(at.fingerprint, (await withFigure(162, 110)).fingerprint), 1 / 64);
    const across = difference(at.fingerprint, (await withFigure(482, 272)).fingerprint);
    assert.equal(across, 2 / 64);
    assert.equal(difference(at.fingerprint, (await withFigure(162, 92)).fingerprint), 0);
  });

  it('all, when the picture is another one', async () => {
    const [dark, light] = await Promise.all([see(await flat(64, 64, '#101010').jpeg().toBuffer()), see(await flat(640, 360, '#e0e0e0').jpeg().toBuffer())]);
    assert.equal(difference(dark.fingerprint, light.fingerprint), 1);
    assert.equal(difference(dark.fingerprint, light.fingerprint), difference(light.fingerprint, dark.fingerprint));
  });

  it('more than nothing between neighbouring sample frames', async () => {
    const seen = await Promise.all([0, 1, 2, 3].map((index) => see(sampleFrame(index))));
    for (const [index, { fingerprint }] of seen.entries()) if (index > 0) assert.ok(difference(seen[index - 1]!.fingerprint, fingerprint)! > 0);
  });

  it('is not known without a frame before', async () => {
    const { fingerprint } = await see(sampleFrame(0));
    assert.equal(Buffer.from(fingerprint, 'base64').length, 64);
    for (const before of [undefined, '', 'AAAA', '!!!', 'x'.repeat(5000)]) assert.equal(difference(before, fingerprint), null);
    assert.equal(difference(fingerprint, ''), null);
  });
});
