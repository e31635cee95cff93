import { vendorDown } from './failures.ts';
import { sniffAudio } from './media/media.ts';
import { mp3Seconds } from './media/sound/mp3.ts';
import { wavInfo } from './media/sound/wav.ts';
import type { ProviderName, Speech } from './types.ts';

/** Most bytes of a spoken text: more than ten minutes of MP3 at 128 kbit/s, or three of WAV at 24 kHz. */
export const mostSoundBytes = 10_000_000;

/**
 * The speech that a vendor answered with, its type read from its first bytes and its length from its content.
 *
 * @param text What was to be spoken. Vendors bill characters, not bytes or UTF-16 units
 *   (https://cloud.google.com/text-to-speech/pricing).
 * @throws AppError unavailable (provider_unavailable) for anything but a whole WAV or MP3 with sound in it.
 */
export function speechOf(provider: ProviderName, text: string, bytes: Buffer): Speech {
  const mime = sniffAudio(bytes);
  if (bytes.length > mostSoundBytes || (mime !== 'audio/mpeg' && mime !== 'audio/wav')) throw vendorDown(provider);
  const seconds = mime === 'audio/wav' ? wavInfo(bytes)?.seconds : mp3Seconds(bytes);
  if (!seconds) throw vendorDown(provider);
  return { mime, bytes, seconds, characters: [...text].length };
}

/** A WAV of 16-bit mono samples, which come as they are from models that answer with raw PCM. */
export function wavOf(samples: Buffer, sampleRate: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
