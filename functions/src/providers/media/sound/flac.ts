import { nothingRead, secondsAt, type Length } from './length.ts';

/** Hz by the code in a frame header (RFC 9639, table 18); 0 is a rate that STREAMINFO tells. */
const sampleRates = [0, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const longestHeader = 16;
/** Bytes of the marker and the first metadata block. */
const infoEnd = 42;

/** What STREAMINFO says (RFC 9639, section 8.2). */
export interface StreamInfo {
  rate: number;
  /** Samples of one channel; 0 when the encoder did not know. */
  total: number;
}

/** The first metadata block after `fLaC`, which begins at `at`; null when it is cut or is not STREAMINFO. */
export function flacInfo(bytes: Uint8Array, at: number): StreamInfo | null {
  const block = Buffer.from(bytes.subarray(at, at + infoEnd));
  if (block.length < infoEnd || block.toString('latin1', 0, 4) !== 'fLaC' || ((block[4] ?? 0) & 0x7f) !== 0) return null;
  return { rate: block.readUIntBE(18, 3) >> 4, total: ((block[21] ?? 0) & 0x0f) * 2 ** 32 + block.readUInt32BE(22) };
}

/** A frame header: the bytes that it takes and the seconds of its frame. */
interface FrameHeader {
  length: number;
  seconds: number;
}

/**
 * The frame header at a position (RFC 9639, section 9.1), null where none is. Its checksum is verified, as every decoder
 * does, so bytes that only look like one are mistaken for one once in some tens of millions.
 *
 * @param rate Hz that STREAMINFO tells, for a header that refers to it.
 */
export function flacFrame(bytes: Uint8Array, at: number, rate: number): FrameHeader | null {
  if (bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xfe) !== 0xf8) return null;
  const head = Buffer.from(bytes.subarray(at, at + longestHeader));
  const [codes = 0, channels = 0, number = 0] = [head[2], head[3], head[4]];
  const [sizeCode, rateCode] = [codes >> 4, codes & 15];
  const ones = Math.clz32(~(number << 24));
  if (sizeCode === 0 || rateCode === 15 || channels >> 4 > 10 || ones === 1 || ones > 7) return null;
  const sizeAt = 4 + Math.max(1, ones);
  const rateAt = sizeAt + (sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0);
  const length = rateAt + (rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0) + 1;
  if (length > head.length || checksum(head.subarray(0, length)) !== 0) return null;
  const told = length - 1 - rateAt;
  const hertz = told > 0 ? head.readUIntBE(rateAt, told) * [1000, 1, 10][rateCode - 12]! : sampleRates[rateCode] || rate;
  return { length, seconds: secondsAt(blockSize(sizeCode, head, sizeAt), hertz) };
}

function blockSize(code: number, head: Buffer, at: number): number {
  if (code === 1) return 192;
  if (code <= 5) return 144 * 2 ** code;
  if (code === 6) return head.readUInt8(at) + 1;
  return code === 7 ? head.readUInt16BE(at) + 1 : 2 ** code;
}

/** CRC-8 with the polynomial x^8 + x^2 + x + 1; 0 over a header with its checksum. */
function checksum(header: Uint8Array): number {
  let crc = 0;
  for (const byte of header) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? crc << 1 : ((crc << 1) ^ 0x107) & 0xff;
  }
  return crc & 0xff;
}

/** Where the frames begin: after the metadata blocks; of blocks that claim more than there is, after the first. */
function afterMetadata(bytes: Uint8Array): number {
  for (let at = 4; at + 4 <= bytes.length; ) {
    const last = (bytes[at]! & 0x80) !== 0;
    at += 4 + bytes[at + 1]! * 65_536 + bytes[at + 2]! * 256 + bytes[at + 3]!;
    if (last && at <= bytes.length) return at;
  }
  return Math.min(bytes.length, infoEnd);
}

/**
 * Length of a FLAC: the sum of its frames. Only when no frame is found does the total of STREAMINFO speak, and then no byte
 * counts as read. No sound when there is nothing after the metadata. Linear in the number of bytes, never throws.
 */
export function flacLength(bytes: Uint8Array): Length {
  const info = flacInfo(bytes, 0);
  if (!info) return nothingRead(bytes);
  const start = afterMetadata(bytes);
  let counted = 0;
  for (let at = start; at < bytes.length; ) {
    const frame = flacFrame(bytes, at, info.rate);
    counted += frame?.seconds ?? 0;
    at += frame?.length ?? 1;
  }
  if (counted > 0 || start === bytes.length) return { counted, claimed: 0, unread: 0 };
  return { counted, claimed: secondsAt(info.total, info.rate), unread: bytes.length };
}
