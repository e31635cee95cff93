import { numberAt } from './mp4-boxes.ts';

/** A packet in the file. Its ticks are 0 where another table tells the times. */
export interface Sample {
  /** Negative where it cannot be told. */
  at: number;
  size: number;
  ticks: number;
}

/** A `trun` box with what its fragment says of it. */
export interface Run {
  body: Buffer;
  /** Where the data of its fragment begin. */
  base: number;
  /** Of samples for which the run itself does not say. */
  usual: { ticks: number; size: number };
}

const nothing = Buffer.alloc(0);

/** How many samples the tables of a `trak` list; fragments have more. */
export const listedSamples = (boxes: Map<string, Buffer>): number => numberAt(boxes.get('stsz') ?? boxes.get('stz2') ?? nothing, 8);

/**
 * The samples of a `trak` by its boxes `stsz`, `stsc` and `stco` or `co64`: chunk by chunk (ISO/IEC 14496-12, sections 8.7.3 to
 * 8.7.5). Those of the compact table `stz2` are somewhere.
 */
export function* samplesInChunks(boxes: Map<string, Buffer>): Generator<Sample> {
  if (!boxes.has('stsz')) for (let left = listedSamples(boxes); left > 0; left -= 1) yield { at: -1, size: 0, ticks: 0 };
  const [sizes, chunks] = [boxes.get('stsz') ?? nothing, boxes.get('stsc') ?? nothing];
  const width = boxes.has('stco') ? 4 : 8;
  const offsets = boxes.get('stco') ?? boxes.get('co64') ?? nothing;
  const [same, count] = [numberAt(sizes, 4), numberAt(sizes, 8)];
  let perChunk = 0;
  let sample = 0;
  for (let chunk = 1, entry = 8; 8 + chunk * width <= offsets.length && sample < count; chunk += 1) {
    for (; entry + 12 <= chunks.length && numberAt(chunks, entry) <= chunk; entry += 12) perChunk = numberAt(chunks, entry + 4);
    let at = numberAt(offsets, 8 + (chunk - 1) * width, width);
    for (const last = Math.min(count, sample + perChunk); sample < last; sample += 1) {
      const size = same || numberAt(sizes, 12 + sample * 4);
      yield { at, size, ticks: 0 };
      at += size;
    }
  }
}

/** The samples of a run, section 8.8.8. */
export function* samplesInRun({ body, base, usual }: Run): Generator<Sample> {
  const flags = numberAt(body, 1, 3);
  const has = (flag: number) => (flags & flag) !== 0;
  // Without an offset it follows a run before it, which may be of any length. An offset is signed.
  let at = has(0x001) ? base + (numberAt(body, 8) | 0) : -Infinity;
  const width = [0x100, 0x200, 0x400, 0x800].filter(has).length * 4;
  let entry = 8 + (has(0x001) ? 4 : 0) + (has(0x004) ? 4 : 0);
  for (let sample = numberAt(body, 4); sample > 0 && entry + width <= body.length; sample -= 1, entry += width) {
    const ticks = has(0x100) ? numberAt(body, entry) : usual.ticks;
    const size = has(0x200) ? numberAt(body, entry + (has(0x100) ? 4 : 0)) : usual.size;
    yield { at, size, ticks };
    at += size;
  }
}
