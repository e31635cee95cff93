import { Bits } from './bits.ts';
import { secondsAt } from './length.ts';

/** What the first header of a Vorbis stream says. */
interface Identification {
  channels: number;
  rate: number;
  /** Samples of a short and of a long block. */
  blocks: [number, number];
}

const isHeader = (packet: Uint8Array, type: number) => packet[0] === type && Buffer.from(packet.subarray(1, 7)).toString('latin1') === 'vorbis';

/** Whether a packet begins with the mark of a Vorbis identification header. */
export const isVorbisIdentification = (packet: Uint8Array): boolean => isHeader(packet, 1);
/** Whether a packet begins with the mark of a Vorbis setup header, the third of a stream. */
export const isVorbisSetup = (packet: Uint8Array): boolean => isHeader(packet, 5);

function identificationOf(packet: Uint8Array): Identification {
  const bits = new Bits(packet.subarray(11));
  const [channels, rate] = [bits.read(8), bits.read(32)];
  bits.skip(96);
  return { channels, rate, blocks: [2 ** bits.read(4), 2 ** bits.read(4)] };
}

/**
 * Counts the samples of one Vorbis stream by its blocks, as a decoder does, so that a granule position says nothing
 * (https://xiph.org/vorbis/doc/Vorbis_I_spec.html, sections 1.3.2, 4.2 and 4.3.1). Until a setup header was understood every
 * block counts as a long one.
 */
export class VorbisCounter {
  private readonly identification: Identification;
  /** For each mode, whether its blocks are long. */
  private modes: boolean[] | null = null;
  private before = 0;

  /** @param identification The first packet of the stream; one that is cut has a rate of 0 and no length. */
  constructor(identification: Uint8Array) {
    this.identification = identificationOf(identification);
  }

  /** Takes the setup header; the first that makes sense counts. */
  setUp(packet: Uint8Array): void {
    this.modes ??= modesOf(packet.subarray(7), this.identification.channels);
  }

  /** Seconds that a packet adds: half of its block and half of the one before overlap. 0 for a header. */
  secondsOf(packet: Uint8Array): number {
    const first = packet[0];
    if (first === undefined || (first & 1) === 1) return 0;
    const mode = this.modes && (first >> 1) & (2 ** widthOf(this.modes.length - 1) - 1);
    const block = this.identification.blocks[mode !== null && this.modes?.[mode] === false ? 0 : 1];
    const samples = this.before === 0 ? 0 : (this.before + block) / 4;
    this.before = block;
    return secondsAt(samples, this.identification.rate);
  }
}

/** Bits that a number needs: `ilog` of the specification, section 9.2.1. */
const widthOf = (value: number) => (value > 0 ? Math.floor(Math.log2(value)) + 1 : 0);

/** Whether the blocks of each mode are long (section 4.2.4); null when the header does not go on to its last bit. */
function modesOf(setup: Uint8Array, channels: number): boolean[] | null {
  const bits = new Bits(setup);
  const each = (count: number, skip: (bits: Bits) => void) => {
    for (let index = 0; index < count && !bits.ended; index += 1) skip(bits);
  };
  each(bits.read(8) + 1, skipCodebook);
  each(bits.read(6) + 1, () => bits.skip(16));
  each(bits.read(6) + 1, skipFloor);
  each(bits.read(6) + 1, skipResidue);
  each(bits.read(6) + 1, () => skipMapping(bits, channels));
  const modes: boolean[] = [];
  each(bits.read(6) + 1, () => {
    modes.push(bits.read(1) === 1);
    bits.skip(40);
  });
  return bits.read(1) === 1 && !bits.ended ? modes : null;
}

/** Section 3.2.1. */
function skipCodebook(bits: Bits): void {
  bits.skip(24);
  const [dimensions, entries, ordered] = [bits.read(16), bits.read(24), bits.read(1)];
  if (ordered) {
    bits.skip(5);
    for (let entry = 0; entry < entries && !bits.ended; ) entry += bits.read(widthOf(entries - entry));
  } else {
    const sparse = bits.read(1);
    for (let entry = 0; entry < entries && !bits.ended; entry += 1) if (!sparse || bits.read(1)) bits.skip(5);
  }
  const lookup = bits.read(4);
  if (lookup === 0) return;
  bits.skip(64);
  const width = bits.read(4) + 1;
  bits.skip(1 + width * (lookup === 1 ? latticeOf(entries, dimensions) : entries * dimensions));
}

/** The greatest number that, raised to the dimensions, is at most the entries: section 9.2.3. */
function latticeOf(entries: number, dimensions: number): number {
  const root = dimensions > 0 ? Math.round(entries ** (1 / dimensions)) : 0;
  return root ** dimensions > entries ? root - 1 : root;
}

/** Sections 6.2.1 and 7.2.2. */
function skipFloor(bits: Bits): void {
  if (bits.read(16) === 0) {
    bits.skip(8 + 16 + 16 + 6 + 8);
    return bits.skip(8 * (bits.read(4) + 1));
  }
  const partitions = Array.from({ length: bits.read(5) }, () => bits.read(4));
  const dimensions = Array.from({ length: Math.max(-1, ...partitions) + 1 }, () => {
    const [count, subclasses] = [bits.read(3) + 1, bits.read(2)];
    bits.skip((subclasses > 0 ? 8 : 0) + 8 * 2 ** subclasses);
    return count;
  });
  bits.skip(2);
  const width = bits.read(4);
  bits.skip(width * partitions.reduce((sum, partition) => sum + (dimensions[partition] ?? 0), 0));
}

/** Section 8.6.1. */
function skipResidue(bits: Bits): void {
  bits.skip(16 + 24 + 24 + 24);
  const classifications = bits.read(6) + 1;
  bits.skip(8);
  const cascades = Array.from({ length: classifications }, () => bits.read(3) + (bits.read(1) ? bits.read(5) * 8 : 0));
  for (const cascade of cascades) bits.skip(8 * cascade.toString(2).replaceAll('0', '').length);
}

/** Section 4.2.4, mappings. */
function skipMapping(bits: Bits, channels: number): void {
  bits.skip(16);
  const submaps = bits.read(1) ? bits.read(4) + 1 : 1;
  if (bits.read(1)) bits.skip((bits.read(8) + 1) * 2 * widthOf(channels - 1));
  bits.skip(2 + (submaps > 1 ? 4 * channels : 0) + submaps * 24);
}
