import type { VisionMode } from '../../credits/prices.ts';
import type { Media } from '../types.ts';
import { decode, squareOf, toJpeg } from './decode.ts';
import type { ImageSize } from './media.ts';
import { fingerprintOf } from './pixels.ts';

/**
 * Longest side, in pixels, of what a model is sent. Gemini reads tiles of 768 pixels a side
 * (https://ai.google.dev/gemini-api/docs/image-understanding), OpenAI tiles of 512 after fitting a picture into a square of
 * 2048 and its shorter side into 768 (https://platform.openai.com/docs/guides/images-vision). A frame of 16:9 therefore is
 * - burst and continuous: one tile for either vendor, the least that can be sent;
 * - standard: two tiles for Gemini, four for OpenAI;
 * - detail: six tiles for either, all that OpenAI would look at.
 */
const longestSides: Record<VisionMode, number> = { burst: 512, continuous: 512, standard: 1024, detail: 2048 };

/** A frame as it may leave for a vendor. */
export interface SeenFrame {
  /** To be sent: a JPEG with nothing in it but pixels. */
  frame: Media;
  /** Size as received, after its EXIF orientation. */
  size: ImageSize;
  /** What it looks like, 64 bytes in base64: see difference. */
  fingerprint: string;
}

/**
 * Decodes a frame and makes of its pixels, and of nothing else in the file, the picture that is sent: upright, in sRGB, on
 * black where it is transparent, scaled down for its mode and never enlarged. EXIF, GPS position, XMP, colour profiles and
 * whatever follows the picture stay behind.
 *
 * @param maxPixels Largest accepted width times height, checked before decoding.
 * @throws AppError invalid-argument (bad_media) for an empty, damaged, incomplete, animated or too large frame, and for
 *   anything but a JPEG, PNG or WebP.
 */
export async function seeFrame({ bytes }: Media, { mode, maxPixels }: { mode: VisionMode; maxPixels: number }): Promise<SeenFrame> {
  const { size, pixels } = await decode(bytes, { maxPixels, fit: longestSides[mode] });
  const [jpeg, square] = await Promise.all([toJpeg(pixels), squareOf(pixels)]);
  return { frame: { mime: 'image/jpeg', bytes: jpeg }, size, fingerprint: Buffer.from(fingerprintOf(square)).toString('base64') };
}
