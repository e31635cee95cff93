import { badMedia } from '../failures.ts';
import { imageSize, sniffImage, type ImageSize } from './media.ts';
import { cells, compare, measure, side, type Measurements, type Motion } from './pixels.ts';

/** What a frame shows, as far as arithmetic can tell. */
export interface Scene extends Omit<Measurements, 'fingerprint'> {
  size: ImageSize;
  /** Change since the frame before; null when there was none, or none that can be compared. */
  motion: Motion | null;
  /** 8 by 8 cells of luma in base64: hand it back as `before` with the next frame. */
  fingerprint: string;
}

/** Options of readScene. */
export interface SceneOptions {
  /** Fingerprint of the frame before; ignored when it is not one. */
  before?: string | undefined;
  /** Largest accepted width times height. */
  maxPixels?: number;
}

/**
 * Decodes a picture and measures its pixels.
 *
 * @throws AppError invalid-argument (bad_media) for anything but a complete JPEG, PNG or WebP within `maxPixels`.
 */
export async function readScene(bytes: Buffer, { before, maxPixels = 16_000_000 }: SceneOptions = {}): Promise<Scene> {
  const mime = sniffImage(bytes);
  if (!mime) throw badMedia('The picture is not a JPEG, PNG or WebP.');
  const size = imageSize(bytes, mime, maxPixels);
  const { fingerprint, ...measured } = measure(await scaledPixels(bytes, maxPixels));
  const previous = parseFingerprint(before);
  return {
    ...measured,
    size,
    motion: previous && compare(previous, fingerprint),
    fingerprint: Buffer.from(fingerprint).toString('base64'),
  };
}

async function scaledPixels(bytes: Buffer, maxPixels: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  // One instance serves many requests on about one CPU: more threads per picture, or a cache of decoded ones, only cost memory.
  sharp.concurrency(1);
  sharp.cache(false);
  try {
    return await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' })
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .resize(side, side, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
  } catch {
    // Not passed on: a decoder's message may quote the file.
    throw badMedia('The picture is damaged and cannot be decoded.');
  }
}

function parseFingerprint(text: string | undefined): Buffer | null {
  if (!text) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === cells * cells ? bytes : null;
}
