import { createHash } from 'node:crypto';
import { wavOf } from '../speech.ts';
import type { Speech, SpeechProvider, SpeechRequest } from '../types.ts';
import { unlessAborted } from './timing.ts';

const sampleRate = 16_000;
/** About 15 characters a second, as fast as people read aloud. */
const samplesPerCharacter = 1066;
/** What follows the first minute is not spoken, and not billed. */
const mostCharacters = Math.floor((60 * sampleRate) / samplesPerCharacter);

/**
 * The voice that needs no key and no network: a tone for every character, a pause for every space, as a WAV of 16 bits and
 * 16 kHz. Every voice name has a pitch of its own. The same text and voice always sound the same.
 */
export function offlineSpeech(): SpeechProvider {
  return { name: 'offline', speak: (request) => unlessAborted(request.signal, () => speak(request)) };
}

function speak({ text, voice }: SpeechRequest): Speech {
  const characters = [...text].slice(0, mostCharacters);
  const lowest = 110 + (createHash('sha256').update(voice).digest().readUInt16BE(0) / 0xffff) * 110;
  const tones = new Map([...new Set(characters)].map((character) => [character, tone(character, lowest)]));
  const samples = Buffer.concat(characters.map((character) => tones.get(character)!));
  return { mime: 'audio/wav', bytes: wavOf(samples, sampleRate), seconds: samples.length / 2 / sampleRate, characters: characters.length };
}

/** One character as 16-bit samples: vowels are loud, other letters and digits less, signs faint, spaces silent. */
function tone(character: string, lowest: number): Buffer {
  const loudness = /\s/u.test(character) ? 0 : /[aeiou]/i.test(character) ? 0.5 : /[\p{L}\p{N}]/u.test(character) ? 0.3 : 0.1;
  // Two octaves above the lowest, in steps that tell all ASCII characters apart.
  const hertz = lowest * 2 ** (((character.codePointAt(0) ?? 0) % 96) / 48);
  const samples = Buffer.alloc(samplesPerCharacter * 2);
  for (let index = 0; index < samplesPerCharacter; index += 1) {
    const fade = Math.sin((Math.PI * index) / samplesPerCharacter); // without it every character would click
    samples.writeInt16LE(Math.round(0x7fff * loudness * fade * Math.sin((2 * Math.PI * hertz * index) / sampleRate)), index * 2);
  }
  return samples;
}
