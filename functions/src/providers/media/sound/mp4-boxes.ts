/** A box of an ISO base media file; of one that is entered the content is empty, its boxes follow. */
export interface Box {
  /** Where it begins. */
  at: number;
  /** Where the next box begins. */
  end: number;
  type: string;
  body: Buffer;
}

/** Boxes that are entered; all others are passed over whole. */
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf']);

/**
 * All boxes in the order of the file, flat (ISO/IEC 14496-12, section 4.2), so that it does not matter what a container says of
 * its own size. One that claims more than there is goes to the end of the file; one that is shorter than its own head ends it.
 */
export function* boxesOf(bytes: Buffer): Generator<Box> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const short = bytes.readUInt32BE(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 0 ? Infinity : short === 1 ? numberAt(bytes, at + 8, 8) : short;
    if (size < head) return;
    const type = bytes.toString('latin1', at + 4, at + 8);
    const end = Math.min(bytes.length, containers.has(type) ? at + head : at + size);
    yield { at, end, type, body: bytes.subarray(Math.min(at + head, end), end) };
    at = end;
  }
}

/** A whole number of 1 to 8 bytes, the highest first; 0 where there are fewer. */
export function numberAt(body: Buffer, at: number, length = 4): number {
  if (at + length > body.length) return 0;
  let value = 0;
  for (let index = at; index < at + length; index += 1) value = value * 256 + body[index]!;
  return value;
}
