import { badMedia } from '../failures.ts';
import { imageSize, sniffImage, type ImageSize } from './media.ts';
import { side } from './pixels.ts';

/** Uncompressed sRGB pixels, row by row, three bytes each, without anything else that the file carried. */
export interface Pixels extends ImageSize {
  rgb: Buffer;
}

/** A decoded picture. */
export interface Picture {
  /** Size as received, after its EXIF orientation. */
  size: ImageSize;
  /** Scaled down to fit. */
  pixels: Pixels;
}

/** A camera's progressive JPEG has about 10 scans; each is work for all pixels, and thousands fit in a small file. */
const mostScans = 100;

/**
 * Decodes a picture once: turned upright, on black where it is transparent, in sRGB, scaled down to fit a square and
 * never enlarged. Damage that a decoder would paint over in grey counts as damage.
 *
 * @param maxPixels Largest accepted width times height, checked before decoding.
 * @param fit Longest side of the result.
 * @throws AppError invalid-argument (bad_media) for anything but one complete JPEG, PNG or WebP within its bounds.
 */
export async function decode(bytes: Buffer, { maxPixels, fit }: { maxPixels: number; fit: number }): Promise<Picture> {
  checkHeader(bytes, maxPixels);
  return inTurn(() => decodeNow(bytes, { maxPixels, fit }));
}

/** Pictures that one instance decodes at a time: the largest take some 50 MB each, and there is about one CPU for them. */
const decodesAtOnce = 2;
let decoding = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (decoding >= decodesAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else decoding++;
  try {
    return await work();
  } finally {
    // Whoever waits takes the place over.
    const next = waiting.shift();
    if (next) next();
    else decoding--;
  }
}

async function decodeNow(bytes: Buffer, { maxPixels, fit }: { maxPixels: number; fit: number }): Promise<Picture> {
  const sharp = await loadSharp();
  const source = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'warning' });
  const { pages = 1, autoOrient: size } = await unlessDamaged(source.metadata());
  if (pages > 1) throw animated();
  const { data: rgb, info: { width, height } } = await unlessDamaged(source
    .autoOrient()
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .resize({ width: fit, height: fit, fit: 'inside', withoutEnlargement: true, kernel: 'cubic' })
    .raw()
    .toBuffer({ resolveWithObject: true }));
  return { size, pixels: { width, height, rgb } };
}

/** A JPEG of the pixels, with no metadata at all. Its Huffman tables are the standard's: half the time for a few percent more bytes. */
export async function toJpeg(pixels: Pixels): Promise<Buffer> {
  return (await fromPixels(pixels)).jpeg({ quality: 80, optimiseCoding: false }).toBuffer();
}

/** The pixels squeezed into the square that is measured, RGB. */
export async function squareOf(pixels: Pixels): Promise<Buffer> {
  return (await fromPixels(pixels)).resize(side, side, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer();
}

const fromPixels = async ({ rgb, width, height }: Pixels) => (await loadSharp())(rgb, { raw: { width, height, channels: 3 } });

async function loadSharp() {
  const { default: sharp } = await import('sharp');
  // One instance serves many requests on about one CPU: more threads per picture, or a cache of decoded ones, only cost memory.
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}

function checkHeader(bytes: Buffer, maxPixels: number): void {
  if (bytes.length === 0) throw badMedia('The picture is empty.');
  const mime = sniffImage(bytes);
  if (!mime) throw badMedia('The picture is not a JPEG, PNG or WebP.');
  imageSize(bytes, mime, maxPixels);
  if (mime === 'image/png' && isAnimatedPng(bytes)) throw animated();
  if (mime === 'image/jpeg' && hasTooManyScans(bytes)) throw badMedia(`The picture has more than ${mostScans} scans: send a baseline JPEG.`);
}

const animated = () => badMedia('The picture is an animation: send its frames one by one.');

/** PNG (third edition, 11.3.4.1): acTL comes before the first IDAT and begins with the number of frames. The decoder shows the first alone. */
function isAnimatedPng(bytes: Buffer): boolean {
  const at = bytes.indexOf('acTL');
  return at > 0 && at < bytes.indexOf('IDAT') && bytes.readUInt32BE(at + 4) > 1;
}

/** Counts SOS markers: within pixel data ff is never followed by da (ITU T.81, B.1.1.5), so a whole file has few of them by accident. */
function hasTooManyScans(bytes: Buffer): boolean {
  let scans = 0;
  for (let at = bytes.indexOf('ffda', 0, 'hex'); at >= 0 && scans <= mostScans; at = bytes.indexOf('ffda', at + 2, 'hex')) scans += 1;
  return scans > mostScans;
}

async function unlessDamaged<T>(decoding: Promise<T>): Promise<T> {
  try {
    return await decoding;
  } catch {
    // Not passed on: a decoder's message may quote the file.
    throw badMedia('The picture is damaged or incomplete and cannot be decoded.');
  }
}
