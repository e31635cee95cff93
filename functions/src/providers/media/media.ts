import { badMedia } from '../failures.ts';
import { flacLength } from './sound/flac.ts';
import { nothingRead, secondsOf, type Length } from './sound/length.ts';
import { isMp3Frame, mp3Seconds } from './sound/mp3.ts';
import { mp4Length } from './sound/mp4-audio.ts';
import { oggLength } from './sound/ogg.ts';
import { wavChunks, wavInfo } from './sound/wav.ts';
import { webmLength } from './sound/webm.ts';

export { imageSize, type ImageSize } from './image-header.ts';
export { wavLoudness } from './sound/wav.ts';

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

/** Readers of the containers whose sound cannot simply be measured. */
const lengths: Record<string, (bytes: Uint8Array) => Length> = { 'audio/ogg': oggLength, 'audio/flac': flacLength, 'audio/webm': webmLength, 'audio/mp4': mp4Length };

/**
 * Length in seconds, for pricing.
 * - What can be counted is counted, whatever a header claims: samples of an uncompressed WAV, frames of MP3 and FLAC, packets of
 *   Opus (in Ogg, WebM and MP4), Vorbis (Ogg, WebM) and FLAC in Ogg. Bytes in such a file that cannot be read are added at 32 kbit/s.
 * - Where only headers speak, as for AAC, it is the greater of what they claim and of all bytes at 32 kbit/s.
 * - Where nothing can be read it is the bytes at 32 kbit/s, rounded up, at least 1.
 *
 * Finite and never negative, whatever the bytes; 0 only where there is certainly no sound: a WAV without a format or without
 * samples, a container that was read to its end and has no packet of sound. See secondsOf in length.ts.
 */
export function audioSeconds(bytes: Uint8Array, mime: string): number {
  if (mime === 'audio/wav' && !wavChunks(bytes)) return 0;
  const exact = mime === 'audio/wav' ? wavInfo(bytes)?.seconds : mime === 'audio/mpeg' ? mp3Seconds(bytes) : null;
  return exact ?? secondsOf((lengths[mime] ?? nothingRead)(bytes));
}

const standardAlphabet = /^[A-Za-z0-9+/]+={0,2}$/;
const urlSafeAlphabet = /^[A-Za-z0-9_-]+={0,2}$/;
/** A data URL's head is short; anything longer is not one. */
const longestDataHead = 128;

/**
 * Bytes of a base64 text: standard or URL-safe alphabet, padded or not, with or without a `data:<type>;base64,`
 * head, on one line or several. The type in that head is ignored: see sniffImage and sniffAudio.
 *
 * @param maxBytes Largest accepted result; checked from the text's length, before anything is decoded.
 * @throws AppError invalid-argument (bad_media) when the text is empty, malformed or too large.
 */
export function decodeBase64(text: string, maxBytes: number, name = 'The media'): Buffer {
  const payload = withoutBreaks(withoutDataHead(text, name));
  const padding = payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0;
  const size = Math.floor(((payload.length - padding) * 3) / 4);
  if (size > maxBytes) throw badMedia(`${name} is too large: at most ${maxBytes} bytes are accepted.`);
  const whole = padding > 0 ? payload.length % 4 === 0 : payload.length % 4 !== 1;
  if (!whole || !(standardAlphabet.test(payload) || urlSafeAlphabet.test(payload))) {
    throw badMedia(`${name} is not valid base64.`);
  }
  return Buffer.from(payload, 'base64');
}

/** Tools break base64 into lines (RFC 2045). */
function withoutBreaks(text: string): string {
  return /\s/.test(text) ? text.replace(/\s+/g, '') : text;
}

function withoutDataHead(text: string, name: string): string {
  if (!/^data:/i.test(text)) return text;
  const head = text.slice(0, longestDataHead);
  const comma = head.indexOf(',');
  if (comma < 0 || !/;base64$/i.test(head.slice(0, comma))) throw badMedia(`${name} is a data URL that is not base64.`);
  return text.slice(comma + 1);
}
