import { decode, squareOf } from './decode.ts';
import type { ImageSize } from './media.ts';
import { parseFingerprint } from './difference.ts';
import { compare, measure, type Measurements, type Motion } from './pixels.ts';

/** What a frame shows, as far as arithmetic can tell. */
export interface Scene extends Omit<Measurements, 'fingerprint'> {
  size: ImageSize;
  /** Change since the frame before; null when there was none, or none that can be compared. */
  motion: Motion | null;
  /** 8 by 8 cells of luma in base64, as in SeenFrame: hand it back as `before` with the next frame. */
  fingerprint: string;
}

/** Options of readScene. */
export interface SceneOptions {
  /** Fingerprint of the frame before; ignored when it is not one. */
  before?: string | undefined;
  /** Largest accepted width times height. */
  maxPixels?: number;
}

/** Longest side of the pixels that are measured: as small as a decoder scales without extra work. */
const measuredSide = 512;

/**
 * Decodes a picture and measures its pixels.
 *
 * @throws AppError invalid-argument (bad_media) for anything but a complete JPEG, PNG or WebP within `maxPixels`.
 */
export async function readScene(bytes: Buffer, { before, maxPixels = 16_000_000 }: SceneOptions = {}): Promise<Scene> {
  const { size, pixels } = await decode(bytes, { maxPixels, fit: measuredSide });
  const { fingerprint, ...measured } = measure(await squareOf(pixels));
  const previous = parseFingerprint(before);
  return {
    ...measured,
    size,
    motion: previous && compare(previous, fingerprint),
    fingerprint: Buffer.from(fingerprint).toString('base64'),
  };
}
