import { Buffer } from 'node:buffer';

/** Sounds in small, put together from the specifications of their containers: enough for a demuxer, with nothing to hear. */

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
export const u32 = (value: number): Buffer => Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);

/** An Opus packet of frames of 20 ms (CELT, config 31), in the form that its number of frames asks for, followed by `size` bytes. */
export function opusPacket(frames = 1, size = 20): Buffer {
  return Buffer.concat([Buffer.from(frames < 3 ? [0xf8 | (frames - 1)] : [0xfb, frames]), Buffer.alloc(size, 0x55)]);
}

interface PageOptions {
  serial?: number;
  granule?: number;
  /** 1 = goes on with a packet, 2 = first page of its stream. */
  flags?: number;
  /** Leaves the last packet without an end. */
  open?: boolean;
}

/** A page of Ogg (RFC 3533, section 6) with a checksum of 0. */
export function oggPage(packets: Buffer[], { serial = 1, granule = 0, flags = 0, open = false }: PageOptions = {}): Buffer {
  const lacing = packets.flatMap(({ length }, index) => {
    const full = new Array<number>(Math.floor(length / 255)).fill(255);
    return open && index === packets.length - 1 ? full : [...full, length % 255];
  });
  const head = Buffer.alloc(27);
  head.write('OggS', 0, 'latin1');
  head[5] = flags;
  head.writeUInt32LE(granule, 6);
  head.writeUInt32LE(serial, 14);
  head[26] = lacing.length;
  return Buffer.concat([head, Buffer.from(lacing), ...packets]);
}

export const opusHead: Buffer = Buffer.concat([latin1('OpusHead\x01\x01'), Buffer.from([0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0])]);
export const opusTags: Buffer = latin1('OpusTags\x04\0\0\0test\0\0\0\0');

/** An Ogg Opus file (RFC 7845), some packets a page. */
export function oggOpus(packets: Buffer[], options: PageOptions = {}): Buffer {
  const pages = [oggPage([opusHead], { ...options, flags: 2 }), oggPage([opusTags], options)];
  for (let at = 0; at < packets.length; at += 50) pages.push(oggPage(packets.slice(at, at + 50), options));
  return Buffer.concat(pages);
}

/** Packs numbers lowest bit first: [value, bits] each. */
function packed(fields: (readonly [number, number])[]): Buffer {
  const bits = fields.flatMap(([value, count]) => Array.from({ length: count }, (_, bit) => Math.floor(value / 2 ** bit) % 2));
  return Buffer.from(Array.from({ length: Math.ceil(bits.length / 8) }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((sum, bit, index) => sum + bit * 2 ** index, 0)));
}

/** The three headers of a stereo Vorbis stream with blocks of 256 and 2048 samples, and one of every kind of table (Vorbis I, sections 3.2.1 and 4.2). */
export function vorbisHeaders({ rate = 44_100, modes = [0, 1] }: { rate?: number; modes?: number[] } = {}): Buffer[] {
  const identification = Buffer.concat([latin1('\x01vorbis'), packed([[0, 32], [2, 8], [rate, 32], [0, 32], [0, 32], [0, 32], [8, 4], [11, 4], [1, 8]])]);
  const sync = [0x564342, 24] as const;
  const dense = [sync, [2, 16], [9, 24], [0, 1], [0, 1], ...new Array<[number, number]>(9).fill([3, 5]), [1, 4], [0, 32], [0, 32], [3, 4], [0, 1], ...new Array<[number, number]>(3).fill([7, 4])] as const;
  const sparse = [sync, [1, 16], [3, 24], [0, 1], [1, 1], [1, 1], [2, 5], [0, 1], [1, 1], [2, 5], [0, 4]] as const;
  const ordered = [sync, [2, 16], [6, 24], [1, 1], [1, 5], [2, 3], [4, 3], [2, 4], [0, 32], [0, 32], [1, 4], [0, 1], ...new Array<[number, number]>(12).fill([3, 2])] as const;
  const floor0 = [[0, 16], [8, 8], [44_100, 16], [64, 16], [6, 6], [1, 8], [1, 4], [0, 8], [1, 8]] as const;
  const floor1 = [[1, 16], [2, 5], [0, 4], [1, 4], [2, 3], [0, 2], [1, 8], [0, 3], [1, 2], [2, 8], [0, 8], [1, 8], [1, 2], [7, 4], [1, 7], [2, 7], [3, 7], [4, 7]] as const;
  const residue = [[2, 16], [0, 24], [256, 24], [16, 24], [1, 6], [1, 8], [5, 3], [0, 1], [1, 3], [1, 1], [3, 5], [0, 8], [1, 8], [2, 8], [0, 8], [1, 8]] as const;
  const mapping = [[0, 16], [1, 1], [1, 4], [1, 1], [0, 8], [0, 1], [1, 1], [0, 2], [0, 4], [1, 4], [0, 24], [0, 24]] as const;
  const setup = packed([
    [2, 8], ...dense, ...sparse, ...ordered, [0, 6], [0, 16], [1, 6], ...floor0, ...floor1, [0, 6], ...residue, [0, 6], ...mapping,
    [modes.length - 1, 6], ...modes.flatMap((long) => [[long, 1], [0, 16], [0, 16], [0, 8]] as const), [1, 1],
  ]);
  return [identification, latin1('\x03vorbis\0\0\0\0\0\0\0\0\x01'), Buffer.concat([latin1('\x05vorbis'), setup])];
}

/** A FLAC file without frames: STREAMINFO and another metadata block, which is a picture (RFC 9639, section 8). */
export function flacHead({ rate = 16_000, total = 0, picture = 0 } = {}): Buffer {
  const info = Buffer.alloc(34);
  info.writeUIntBE(rate * 16, 10, 3);
  info[13] = 0xf0 | (Math.floor(total / 2 ** 32) & 15);
  info.writeUInt32BE(total % 2 ** 32, 14);
  return Buffer.concat([latin1('fLaC\0\0\0\x22'), info, Buffer.from([0x86]), u32(picture).subarray(1), Buffer.alloc(picture, 0xff)]);
}

/** A frame of FLAC (RFC 9639, section 9.1): the codes of its block size and rate with what they refer to, its number, and bytes for its sound. */
export function flacFrameOf({ size = 0xc, sizeTold = [] as number[], rate = 0, rateTold = [] as number[], number = [0], sound = 30 } = {}): Buffer {
  const head = [0xff, 0xf8, size * 16 + rate, 0x08, ...number, ...sizeTold, ...rateTold];
  const crc = head.reduce((sum, byte) => { let next = sum ^ byte; for (let bit = 0; bit < 8; bit += 1) next = next & 0x80 ? ((next << 1) ^ 0x07) & 255 : next << 1; return next; }, 0);
  return Buffer.concat([Buffer.from([...head, crc]), Buffer.alloc(sound, 0xa5)]);
}

/** An EBML element (RFC 8794) with a size of eight bytes, or an unknown one. */
export function element(id: number, body: Buffer | Buffer[] | number[], { unknown = false } = {}): Buffer {
  const content = Array.isArray(body) ? Buffer.concat(body.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part))) : body;
  const name = u32(id).subarray(Math.floor(Math.clz32(id) / 8));
  return Buffer.concat([name, unknown ? Buffer.from([0xff]) : Buffer.concat([Buffer.from([1, 0, 0, 0]), u32(content.length)]), content]);
}

/** A box of an ISO base media file. */
export const box = (type: string, ...body: Buffer[]): Buffer => Buffer.concat([u32(8 + body.reduce((sum, { length }) => sum + length, 0)), latin1(type), ...body]);
/** One with a version and flags. */
export const fullBox = (type: string, version: number, flags: number, ...body: Buffer[]): Buffer => box(type, u32(version * 2 ** 24 + flags), ...body);

/** The sample entry of AAC with its `esds` (ISO/IEC 14496-1, section 7.2.6), or of another codec without. */
export function sampleEntry(codec: string, { kind = 2, rate = 4 } = {}): Buffer {
  const config = u16(kind * 2048 + rate * 128 + 8);
  const esds = fullBox('esds', 0, 0, Buffer.from([3, 0x80, 0x80, 0x80, 24, 0, 1, 0, 4, 16, 0x40, 0x15]), Buffer.alloc(11), Buffer.from([5, 2]), config);
  return box(codec, Buffer.alloc(28), ...(codec === 'mp4a' ? [esds] : []));
}
