/** What the header of an uncompressed WAV says, checked against the bytes that are really there. */
export interface WavInfo {
  seconds: number;
  channels: number;
  /** Samples per second of one channel. */
  sampleRate: number;
  bitsPerSample: 8 | 16 | 24 | 32;
  float: boolean;
  /** The samples, cut to what the file really holds. */
  data: Buffer;
}

const PCM = 1;
const FLOAT = 3;
/** WAVE_FORMAT_EXTENSIBLE: the real format is the first two bytes of the sub-format GUID, 24 bytes into the chunk. */
const EXTENSIBLE = 0xfffe;
const highestSampleRate = 384_000;
const mostChannels = 8;

/** The two chunks of a WAV that matter. */
export interface WavChunks {
  format: Buffer;
  /** The samples, cut to what the file really holds. */
  data: Buffer;
}

/** The chunks of a WAV of any encoding (RIFF chunks in any order); null when it has no format, or no samples after it. */
export function wavChunks(bytes: Uint8Array): WavChunks | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.toString('latin1', 0, 4) !== 'RIFF' || view.toString('latin1', 8, 12) !== 'WAVE') return null;
  let format: Buffer | undefined;
  for (let at = 12; at + 8 <= view.length; ) {
    const id = view.toString('latin1', at, at + 4);
    const size = view.readUInt32LE(at + 4);
    const body = at + 8;
    if (id === 'fmt ') format = view.subarray(body, Math.min(body + size, view.length));
    if (id === 'data') {
      // A recorder that streams leaves 0 or 0xffffffff here: the samples then run to the end.
      const data = view.subarray(body, size === 0 ? view.length : Math.min(body + size, view.length));
      return format && format.length >= shortestFormat && data.length > 0 ? { format, data } : null;
    }
    at = body + size + (size % 2);
  }
  return null;
}

/** Bytes of the shortest format chunk there is. */
const shortestFormat = 16;

/**
 * What an uncompressed WAV holds, or null when it is something else, is cut short, or claims a rate no device records
 * with: a false rate would make a long recording look short, and cheap.
 */
export function wavInfo(bytes: Uint8Array): WavInfo | null {
  const chunks = wavChunks(bytes);
  return chunks && describe(chunks);
}

function describe({ format, data }: WavChunks): WavInfo | null {
  const tag = format.readUInt16LE(0);
  const kind = tag === EXTENSIBLE && format.length >= 26 ? format.readUInt16LE(24) : tag;
  const channels = format.readUInt16LE(2);
  const sampleRate = format.readUInt32LE(4);
  const bits = format.readUInt16LE(14);
  if (kind !== PCM && kind !== FLOAT) return null;
  if (bits !== 8 && bits !== 16 && bits !== 24 && bits !== 32) return null;
  if (kind === FLOAT && bits !== 32) return null;
  if (channels < 1 || channels > mostChannels || sampleRate < 1 || sampleRate > highestSampleRate) return null;
  const seconds = Math.floor(data.length / (channels * (bits / 8))) / sampleRate;
  return { seconds, channels, sampleRate, bitsPerSample: bits, float: kind === FLOAT, data };
}

/** Reads sample `index` as -1..1. 8-bit WAV samples are unsigned, wider ones signed little-endian. */
function sampleAt(wav: WavInfo, index: number): number {
  switch (wav.bitsPerSample) {
    case 8:
      return (wav.data.readUInt8(index) - 128) / 128;
    case 16:
      return wav.data.readInt16LE(index * 2) / 0x8000;
    case 24:
      return wav.data.readIntLE(index * 3, 3) / 0x800000;
    case 32:
      return wav.float ? wav.data.readFloatLE(index * 4) : wav.data.readInt32LE(index * 4) / 0x80000000;
  }
}

/** Loudness reported for digital silence, in dBFS: below what 16 bits can express. */
const silence = -96;
/** Beyond this many samples a regular subset is read: loudness needs no more, and a frame must stay cheap. */
const mostSamples = 200_000;

/**
 * Loudness of an uncompressed WAV: the root mean square of its samples in dBFS, from -96 (silence) to 0 (a
 * full-scale square wave); null when the bytes are not an uncompressed WAV with at least one sample.
 */
export function wavLoudness(bytes: Uint8Array): number | null {
  const wav = wavInfo(bytes);
  if (!wav) return null;
  const count = Math.floor(wav.data.length / (wav.bitsPerSample / 8));
  if (count === 0) return null;
  const step = Math.ceil(count / mostSamples);
  let sum = 0;
  let read = 0;
  for (let index = 0; index < count; index += step) {
    const sample = sampleAt(wav, index);
    // A float WAV may hold NaN or infinity; neither is a sound.
    if (!Number.isFinite(sample)) continue;
    sum += Math.min(1, sample * sample);
    read += 1;
  }
  if (read === 0 || sum === 0) return silence;
  return Math.max(silence, 10 * Math.log10(sum / read));
}
