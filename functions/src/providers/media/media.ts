import { badMedia } from '../failures.ts';
import { isMp3Frame, mp3Seconds } from './mp3.ts';
import { wavChunks, wavInfo } from './wav.ts';

export { imageSize, type ImageSize } from './image-header.ts';
export { wavLoudness } from './wav.ts';

const ascii = (bytes: Uint8Array, from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');

/**
 * Type of a picture from its first bytes, whatever the sender called it: JPEG, PNG and WebP, the three that
 * every vendor takes; null for everything else. Never throws, never reads further than 16 bytes.
 */
export function sniffImage(bytes: Uint8Array): 'image/jpeg' | 'image/png' | 'image/webp' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'image/webp';
  return null;
}

// ISO base media brands that mean "sound inside"; the same container also carries AVIF and HEIC pictures.
const soundBrands = new Set(['M4A ', 'M4B ', 'isom', 'iso2', 'iso5', 'iso6', 'mp41', 'mp42', 'dash']);

/** Type of a sound from its first bytes: WAV, MP3, Ogg, FLAC, WebM and M4A; null for everything else. Never throws. */
export function sniffAudio(bytes: Uint8Array): string | null {
  const start = ascii(bytes, 0, 4);
  if (start === 'RIFF' && ascii(bytes, 8, 12) === 'WAVE') return 'audio/wav';
  if (start === 'OggS') return 'audio/ogg';
  if (start === 'fLaC') return 'audio/flac';
  if (start.startsWith('ID3') || isMp3Frame(bytes)) return 'audio/mpeg';
  if (start === '\x1a\x45\xdf\xa3' && ascii(bytes, 4, 64).includes('webm')) return 'audio/webm';
  if (ascii(bytes, 4, 8) === 'ftyp' && soundBrands.has(ascii(bytes, 8, 12))) return 'audio/mp4';
  return null;
}

/** Bytes per second at 32 kbit/s, the lowest rate that speech is commonly sent with. */
const slowestBytesPerSecond = 4000;

/**
 * Length in seconds, for pricing: exact for MP3 and for uncompressed WAV (header and the bytes really there, whichever
 * is less), otherwise the upper bound that the byte count allows at 32 kbit/s, rounded up, at least 1. Finite and never
 * negative, whatever the header claims; 0 only for a WAV without a format or without samples, which holds no sound.
 */
export function audioSeconds(bytes: Uint8Array, mime: string): number {
  if (mime === 'audio/wav' && !wavChunks(bytes)) return 0;
  const exact = mime === 'audio/wav' ? wavInfo(bytes)?.seconds : mime === 'audio/mpeg' ? mp3Seconds(bytes) : null;
  return exact ?? Math.max(1, Math.ceil(bytes.length / slowestBytesPerSecond));
}

const standardAlphabet = /^[A-Za-z0-9+/]+={0,2}$/;
const urlSafeAlphabet = /^[A-Za-z0-9_-]+={0,2}$/;
/** A data URL's head is short; anything longer is not one. */
const longestDataHead = 128;

/**
 * Bytes of a base64 text: standard or URL-safe alphabet, padded or not, with or without a `data:<type>;base64,`
 * head. The type in that head is ignored: see sniffImage and sniffAudio.
 *
 * @param maxBytes Largest accepted result; checked from the text's length, before anything is decoded.
 * @throws AppError invalid-argument (bad_media) when the text is empty, malformed or too large.
 */
export function decodeBase64(text: string, maxBytes: number): Buffer {
  const payload = withoutDataHead(text);
  const padding = payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0;
  const size = Math.floor(((payload.length - padding) * 3) / 4);
  if (size > maxBytes) throw badMedia(`The media is too large: at most ${maxBytes} bytes are accepted.`);
  const whole = padding > 0 ? payload.length % 4 === 0 : payload.length % 4 !== 1;
  if (!whole || !(standardAlphabet.test(payload) || urlSafeAlphabet.test(payload))) {
    throw badMedia('The media is not valid base64.');
  }
  return Buffer.from(payload, 'base64');
}

function withoutDataHead(text: string): string {
  if (!/^data:/i.test(text)) return text;
  const head = text.slice(0, longestDataHead);
  const comma = head.indexOf(',');
  if (comma < 0 || !/;base64$/i.test(head.slice(0, comma))) throw badMedia('The data URL is not base64.');
  return text.slice(comma + 1);
}
