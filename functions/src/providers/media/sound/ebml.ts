/** Identifiers of the Matroska elements that matter (RFC 9559, section 5). */
export const ids = {
  segment: 0x18538067, seekHead: 0x114d9b74, info: 0x1549a966, timestampScale: 0x2ad7b1, duration: 0x4489,
  tracks: 0x1654ae6b, track: 0xae, trackNumber: 0xd7, trackType: 0x83, codec: 0x86, codecPrivate: 0x63a2, encodings: 0x6d80,
  cluster: 0x1f43b675, timestamp: 0xe7, blockGroup: 0xa0, block: 0xa1, simpleBlock: 0xa3,
};
/** Elements that are entered; all others are passed over whole. */
const masters = new Set([ids.segment, ids.info, ids.tracks, ids.track, ids.cluster, ids.blockGroup]);
const nothing = Buffer.alloc(0);
const clusterMark = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);

/** An element; of one that is entered the body is empty, its children follow. */
export interface Element {
  id: number;
  body: Buffer;
}

/** A number of variable length, with the bytes that it takes. */
export interface VariableInteger {
  value: number;
  length: number;
}

/**
 * A number of variable length (RFC 8794, section 4); null where none is. All bits set, an unknown size, is Infinity.
 *
 * @param isId Identifiers have at most four bytes and keep the bit that tells their length.
 */
export function variableInteger(bytes: Buffer, at: number, isId = false): VariableInteger | null {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || at + length > bytes.length || (isId && length > 4)) return null;
  let value = isId ? first : first & (0xff >> length);
  for (let index = 1; index < length; index += 1) value = value * 256 + bytes[at + index]!;
  return { value: !isId && value >= 2 ** (7 * length) - 1 ? Infinity : value, length };
}

/**
 * All elements of a WebM in the order of the file, flat, so that it does not matter what a master says of its own size. After
 * bytes that are no element it goes on with the next cluster, as players do. So it does with an element that claims more than
 * there is, or that a cluster begins in: it reaches beyond its master. Only an index before the clusters may name them.
 *
 * @param skipped Told how many bytes were no element.
 */
export function* elementsOf(bytes: Buffer, skipped: (count: number) => void = () => undefined): Generator<Element> {
  let inCluster = false;
  for (let at = 0; at < bytes.length; ) {
    const id = variableInteger(bytes, at, true);
    const size = id && variableInteger(bytes, at + id.length);
    const bodyAt = at + (id?.length ?? 0) + (size?.length ?? 0);
    if (id && size && masters.has(id.value)) {
      yield { id: id.value, body: nothing };
      at = bodyAt;
      inCluster ||= id.value === ids.cluster;
      continue;
    }
    const end = bodyAt + (size?.value ?? Infinity);
    const body = bytes.subarray(bodyAt, end);
    const mayName = !inCluster && id?.value === ids.seekHead;
    if (id && end <= bytes.length && (mayName || !body.includes(clusterMark))) {
      yield { id: id.value, body };
      at = end;
    } else {
      const next = bytes.indexOf(clusterMark, at + 1);
      const resumed = next < 0 ? bytes.length : next;
      skipped(resumed - at);
      at = resumed;
    }
  }
}
