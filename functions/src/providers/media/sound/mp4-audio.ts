import { aacFrameSeconds } from './aac.ts';
import type { Length } from './length.ts';
import { numberAt } from './mp4-boxes.ts';
import { boxOf, isWide, movieOf, type Track } from './mp4-movie.ts';
import { listedSamples, samplesInChunks, samplesInRun, type Sample } from './mp4-samples.ts';
import { opusSeconds } from './opus.ts';

/** Handlers of tracks that hold no sound (ISO/IEC 14496-12, section 12). */
const silentHandlers = new Set(['vide', 'auxv', 'pict', 'text', 'sbtl', 'subt', 'meta', 'hint', 'tmcd']);

/** What the samples of a track add up to. */
interface Sum {
  samples: number;
  /** Bytes of those that are in the file. */
  bytes: number;
  /** Times of the samples in fragments. */
  ticks: number;
  /** Seconds of the samples as Opus packets. */
  opus: number;
}

/** The sum over a track's samples; `budget` is how many may still be looked at. */
function sumOf(bytes: Buffer, track: Track, budget: { samples: number }): Sum {
  const sum: Sum = { samples: 0, bytes: 0, ticks: 0, opus: 0 };
  const add = (samples: Iterable<Sample>) => {
    for (const { at, size, ticks } of samples) {
      if (budget.samples === 0) return;
      budget.samples -= 1;
      sum.samples += 1;
      const packet = at < 0 ? longestPacket : bytes.subarray(at, at + size);
      sum.bytes += at < 0 ? 0 : packet.length;
      sum.ticks += ticks;
      sum.opus += opusSeconds(packet);
    }
  };
  add(samplesInChunks(track.boxes));
  for (const run of track.runs) add(samplesInRun(run));
  return sum;
}

/** Two frames of 60 ms, for a packet that cannot be found. */
const longestPacket = Buffer.from([0x19]);

/** Whether all of its sample entries say that it is Opus (https://opus-codec.org/docs/opus_in_isobmff.html). */
function isOpus(track: Track): boolean {
  const description = boxOf(track, 'stsd');
  return numberAt(description, 4) === 1 && description.toString('latin1', 12, 16) === 'Opus';
}

/** Seconds by a header with a scale and a duration, `mvhd` or `mdhd`; all bits set, and 0, mean that it does not know. */
function headerSeconds(body: Buffer, more = 0): number {
  const width = isWide(body) ? 8 : 4;
  const scale = numberAt(body, isWide(body) ? 20 : 12);
  const duration = numberAt(body, isWide(body) ? 24 : 16, width);
  return scale === 0 ? 0 : Math.max(more, duration >= 2 ** (8 * width) - 1 ? 0 : duration) / scale;
}

/** The greatest of what the tables of a track claim: its duration, the sum of its times, and that of its frames where they are AAC. */
function claimOf(track: Track, { samples, ticks }: Sum): number {
  const times = boxOf(track, 'stts');
  let sum = ticks;
  for (let at = 8; at + 8 <= times.length; at += 8) sum += numberAt(times, at) * numberAt(times, at + 4);
  return Math.max(headerSeconds(boxOf(track, 'mdhd'), sum), samples * (aacFrameSeconds(boxOf(track, 'stsd')) ?? 0));
}

/**
 * Length of an M4A or another ISO base media file, fragmented or not. The packets of an Opus track are counted, whatever its
 * headers say. For other codecs these are all that speaks: the greatest of `mvhd`, `mdhd`, the sums of `stts` and `trun`, and, for
 * AAC, the number of frames; and no byte counts as read, for a sample could hold more frames than one. No sound when there are
 * tracks, but only silent ones. Linear in the number of bytes, never throws.
 */
export function mp4Length(bytes: Uint8Array): Length {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, tracks, dataBytes } = movieOf(view);
  // No sample is without a byte: tables that list more of them must not cost more.
  const budget = { samples: bytes.length };
  let [counted, claimed, read, silent, uncounted] = [0, 0, 0, true, tracks.length === 0];
  for (const track of tracks) {
    const sum = sumOf(view, track, budget);
    sum.samples = Math.max(sum.samples, listedSamples(track.boxes));
    read += sum.bytes;
    if (silentHandlers.has(boxOf(track, 'hdlr').toString('latin1', 8, 12))) continue;
    silent = false;
    if (sum.samples === 0) continue;
    if (isOpus(track)) counted = Math.max(counted, sum.opus);
    else [uncounted, claimed] = [true, Math.max(claimed, claimOf(track, sum))];
  }
  if (uncounted || (counted === 0 && !silent)) return { counted, claimed: Math.max(0, Math.max(claimed, headerSeconds(header)) - counted), unread: bytes.length };
  return { counted, claimed: 0, unread: silent ? 0 : Math.max(0, dataBytes - read) };
}
