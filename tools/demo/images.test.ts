import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImages, SAMPLE_FRAMES, toFrames } from './images.ts';

describe('images of the demo', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'jiga-images-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const put = (...names: string[]) => names.forEach((name) => writeFileSync(join(folder, name), name));

  it('come in the order of their names, and only images', () => {
    put('shot10.PNG', 'shot2.jpeg', 'notes.txt', 'shot1.webp');
    const { images, leftOut } = readImages(folder);
    assert.deepEqual(images.map(({ name }) => name), ['shot1.webp', 'shot2.jpeg', 'shot10.PNG']);
    assert.equal(Buffer.from(images[0]!.base64, 'base64').toString(), 'shot1.webp');
    assert.equal(leftOut, 0);
  });

  it('are sixty at most', () => {
    put(...Array.from({ length: 63 }, (_, index) => `${index}.jpg`));
    const { images, leftOut } = readImages(folder);
    assert.deepEqual([images.length, images.at(-1)?.name, leftOut], [60, '59.jpg', 3]);
  });

  it('are sent from the start again until there are thirty', () => {
    put('a.jpg', 'b.jpg');
    const frames = toFrames(readImages(folder).images);
    assert.deepEqual([frames.length, frames[0]?.name, frames[29]?.name], [30, 'a.jpg', 'b.jpg']);
  });

  it('cannot come from an empty or missing folder, or from a folder named like an image', () => {
    assert.throws(() => readImages(folder), /holds no image: put at least one/);
    assert.throws(() => readImages(join(folder, 'missing')), /missing cannot be read \(ENOENT\): give --frames a folder of images\./);
    mkdirSync(join(folder, 'a.jpg'));
    assert.throws(() => readImages(folder), /a\.jpg cannot be read \(EISDIR\)/);
  });

  it('are there without a folder of one\'s own', () => {
    assert.ok(readImages(SAMPLE_FRAMES).images.length >= 30);
  });
});
