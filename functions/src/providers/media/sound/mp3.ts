// ISO 11172-3 and 13818-3, 2.4.2.3, by the two version bits of a header: 0 = MPEG 2.5, 1 = reserved, 2 = MPEG 2, 3 = MPEG 1.
const sampleRates = [[11_025, 12_000, 8000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]];
/** kbit/s of layer III; 0 is a rate that the header does not tell. */
const bitRatesOfMpeg1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitRatesOfMpeg2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const mpeg1 = 3;

/** What a frame header of MPEG audio, layer III, says. */
interface Header {
  samples: number;
  sampleRate: number;
  kilobits: number;
  padding: number;
}

function headerAt(bytes: Uint8Array, at: number): Header | null {
  const [second = 0, third = 0] = [bytes[at + 1], bytes[at + 2]];
  const layer3 = (second & 0x06) === 0x02;
  if (bytes[at] !== 0xff || (second & 0xe0) !== 0xe0 || !layer3) return null;
  const version = (second >> 3) & 3;
  const sampleRate = sampleRates[version]?.[(third >> 2) & 3];
  const kilobits = (version === mpeg1 ? bitRatesOfMpeg1 : bitRatesOfMpeg2)[third >> 4];
  if (sampleRate === undefined || kilobits === undefined) return null;
  return { samples: version === mpeg1 ? 1152 : 576, sampleRate, kilobits, padding: (third >> 1) & 1 };
}

/** Whether the bytes begin with a frame header of MPEG audio, layer III. */
export const isMp3Frame = (bytes: Uint8Array): boolean => headerAt(bytes, 0) !== null;

/** Bytes from this header to the next; 0 when it does not tell. */
const frameLength = ({ samples, sampleRate, kilobits, padding }: Header) => (kilobits === 0 ? 0 : Math.floor((samples * kilobits * 125) / sampleRate) + padding);

/** Where the sound begins: after ID3v2 tags (https://id3.org/id3v2.4.0-structure, 3.1). One that claims more bytes than there are is not believed. */
function afterTags(bytes: Uint8Array): number {
  let at = 0;
  while (bytes[at] === 0x49 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x33) {
    const footer = ((bytes[at + 5] ?? 0) & 0x10) === 0 ? 0 : 10;
    const size = bytes.subarray(at + 6, at + 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
    const end = at + 10 + size + footer;
    if (end >= bytes.length) return Math.min(at + 10, bytes.length);
    at = end;
  }
  return at;
}

/** A multiple of every sample rate, so that sums are whole: 125 frames of 24 ms are 3 s and not a little more. */
const ticksPerSecond = 14_112_000;

/** Least part of the bytes after the tags that must lie in frames: with less it is something else that looks like frames here and there. */
const leastCovered = 0.5;

/**
 * Length of an MP3 in seconds, to within a frame: the sum of its frames, whatever a Xing or VBRI header says of them; so
 * constant and variable bit rates are both exact. Bytes that are no frame are passed over one by one; a last frame that is
 * cut counts whole. Linear in the number of bytes, never throws.
 *
 * @returns null when it is no MP3, or one whose frames do not tell their length ("free format").
 */
export function mp3Seconds(bytes: Uint8Array): number | null {
  const start = afterTags(bytes);
  let ticks = 0;
  let covered = 0;
  for (let at = start; at + 4 <= bytes.length; ) {
    const header = headerAt(bytes, at);
    const length = header ? frameLength(header) : 0;
    if (header && length > 0) ticks += (header.samples * ticksPerSecond) / header.sampleRate;
    covered += length;
    at += length || 1;
  }
  return ticks > 0 && covered >= (bytes.length - start) * leastCovered ? ticks / ticksPerSecond : null;
}
