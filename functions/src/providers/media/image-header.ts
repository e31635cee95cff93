import { badMedia } from '../failures.ts';

/** Width and height in pixels, as the file's header states them. */
export interface ImageSize {
  width: number;
  height: number;
}

/** Scaling a picture down costs by its sides, not only by its pixels: a PNG of 2,000,000 by 8 takes seconds. WebP ends here too. */
const longestSide = 16_384;

/**
 * Dimensions of a JPEG, PNG or WebP from its header alone. A picture of a few kilobytes can unfold into gigabytes
 * of pixels; this refuses it before a decoder sees it.
 *
 * @param mime Type as sniffImage found it.
 * @param maxPixels Largest accepted width times height; 16 million is more than a 4K screen shows.
 * @throws AppError invalid-argument (bad_media) when the header is unreadable, the picture has too many pixels or a side
 *   is longer than 16,384 pixels.
 */
export function imageSize(bytes: Uint8Array, mime: string, maxPixels = 16_000_000): ImageSize {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = readSize(view, mime);
  if (!size || size.width < 1 || size.height < 1) throw badMedia('The picture cannot be read.');
  if (size.width * size.height > maxPixels) throw badMedia(`The picture is too large: at most ${maxPixels} pixels are accepted.`);
  if (Math.max(size.width, size.height) > longestSide) throw badMedia(`The picture is too long: at most ${longestSide} pixels a side are accepted.`);
  return size;
}

function readSize(view: Buffer, mime: string): ImageSize | null {
  if (mime === 'image/jpeg') return jpegSize(view);
  if (mime === 'image/png') return pngSize(view);
  if (mime === 'image/webp') return webpSize(view);
  return null;
}

/** PNG (ISO 15948, 11.2.2): IHDR is always the first chunk. */
function pngSize(view: Buffer): ImageSize | null {
  if (view.length < 24 || view.toString('latin1', 12, 16) !== 'IHDR') return null;
  return { width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
}

/** JPEG (ITU T.81, annex B): walks the marker segments up to the first frame header. */
function jpegSize(view: Buffer): ImageSize | null {
  let at = 2;
  while (at + 4 <= view.length) {
    if (view[at] !== 0xff) return null;
    const marker = view.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2; // stands alone, without a length
      continue;
    }
    if (isFrameHeader(marker)) {
      return at + 9 <= view.length ? { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7) } : null;
    }
    // Pixels before any frame header: not a JPEG that a decoder would take.
    if (marker === 0xda || marker === 0xd9) return null;
    at += 2 + view.readUInt16BE(at + 2);
  }
  return null;
}

/** SOF0 to SOF15 without the three numbers in that range that mean something else (DHT, JPG, DAC). */
const isFrameHeader = (marker: number) => marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** WebP (RFC 9649): the first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended), each with its own layout. */
function webpSize(view: Buffer): ImageSize | null {
  if (view.length < 30) return null;
  switch (view.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: view.readUInt16LE(26) & 0x3fff, height: view.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const packed = view.readUInt32LE(21);
      return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: view.readUIntLE(24, 3) + 1, height: view.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}
