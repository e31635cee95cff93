import { flacFrame, flacInfo } from './flac.ts';
import type { Length } from './length.ts';
import { opusSeconds } from './opus.ts';
import { isVorbisIdentification, isVorbisSetup, VorbisCounter } from './vorbis.ts';

/** Seconds of a packet, given in the order of the stream; 0 for one that is no sound. */
type Counter = (packet: Buffer) => number;

/** A logical stream: packets are put together from the pages with its serial number. */
interface Stream {
  counter: Counter | null;
  /** A packet that goes on in the next page: what is kept of it, and all of its bytes so far. */
  open: { parts: Buffer[]; size: number } | null;
}

/** A page marker with its version, 0, and the bytes of a page header before its table of segments. */
const pageMark = Buffer.from('OggS\0', 'latin1');
const fixedHeader = 27;
const [continued, begins] = [0x01, 0x02];
/** The longest Opus packet, 120 ms, in the fewest bytes: two, and one in the page's table. */
const mostSecondsPerByte = 0.04;

const startsWith = (packet: Buffer, mark: string) => packet[0] === mark.charCodeAt(0) && packet.toString('latin1', 0, mark.length) === mark;

/** How to count a stream that begins with this packet; null when its codec is unknown. */
function counterOf(packet: Buffer, mayRead: (size: number) => boolean): Counter | null {
  if (startsWith(packet, 'OpusHead')) return (next) => (startsWith(next, 'OpusHead') || startsWith(next, 'OpusTags') ? 0 : opusSeconds(next));
  if (startsWith(packet, '\x7fFLAC')) {
    const rate = flacInfo(packet, 9)?.rate ?? 0;
    return (next) => flacFrame(next, 0, rate)?.seconds ?? 0;
  }
  if (!isVorbisIdentification(packet)) return null;
  const counter = new VorbisCounter(packet);
  return (next) => {
    if (isVorbisSetup(next) && mayRead(next.length)) counter.setUp(next);
    return counter.secondsOf(next);
  };
}

/** Walks the pages of one file. */
class Pages {
  counted = 0;
  /** Bytes of packets of unknown codecs. */
  private unknown = 0;
  private readonly streams = new Map<number, Stream>();
  private readonly bytes: Buffer;
  /** Bytes of headers that may still be read: a file of pages within pages, all full of headers, must not cost more than another. */
  private headers: number;
  /** Segments that may still be read. Pages that lie one after the other have fewer than bytes. */
  private segments: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.headers = 2 * bytes.length;
    this.segments = bytes.length;
  }

  /** Whether pages lie within pages, over and over, as nobody but a liar writes them. */
  get nested(): boolean {
    return this.segments < 0;
  }

  /** Bytes of packets that nobody could count, and of those that have no end. */
  get unread(): number {
    return [...this.streams.values()].reduce((sum, { open }) => sum + (open?.size ?? 0), this.unknown);
  }

  /** Reads a page and returns where it ends. */
  read(at: number): number {
    const { bytes } = this;
    const bodyAt = at + fixedHeader + (bytes[at + 26] ?? 0);
    if (bodyAt > bytes.length) return at;
    this.segments -= bodyAt - at - fixedHeader;
    const flags = bytes.readUInt8(at + 5);
    const stream = this.streamOf(bytes.readUInt32LE(at + 14));
    // A packet whose other part was lost is none.
    let lost = (flags & continued) !== 0 && stream.open === null;
    if ((flags & continued) === 0) stream.open = null;
    let start = bodyAt;
    let end = bodyAt;
    for (let segment = at + fixedHeader; segment < bodyAt; segment += 1) {
      const size = bytes.readUInt8(segment);
      if (end + size > bytes.length) break;
      end += size;
      if (size === 255) continue;
      if (!lost) this.packet(stream, bytes.subarray(start, end), (flags & begins) !== 0);
      lost = false;
      start = end;
    }
    if (start < end && !lost) this.keep(stream, bytes.subarray(start, end));
    return end;
  }

  private streamOf(serial: number): Stream {
    const known = this.streams.get(serial);
    if (known) return known;
    const stream: Stream = { counter: null, open: null };
    this.streams.set(serial, stream);
    return stream;
  }

  /** Keeps the beginning of a packet that goes on: all of a Vorbis setup header, of other packets only the first part is looked at. */
  private keep(stream: Stream, part: Buffer): void {
    stream.open ??= { parts: [], size: 0 };
    const { parts } = stream.open;
    if (parts.length === 0 || (isVorbisSetup(parts[0]!) && this.mayRead(part.length))) parts.push(part);
    stream.open.size += part.length;
  }

  private mayRead(size: number): boolean {
    this.headers -= size;
    return this.headers >= 0;
  }

  private packet(stream: Stream, end: Buffer, mayBegin: boolean): void {
    if (stream.open !== null) this.keep(stream, end);
    const parts = stream.open?.parts ?? [end];
    stream.open = null;
    const packet = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (mayBegin || stream.counter === null) stream.counter = counterOf(packet, (size) => this.mayRead(size)) ?? stream.counter;
    if (stream.counter === null) this.unknown += packet.length;
    else this.counted += stream.counter(packet);
  }
}

/**
 * Length of an Ogg (RFC 3533): the sum over the packets of its Opus (RFC 7845), Vorbis and FLAC streams, whatever their
 * granule positions say. Streams that follow one another add up, and so do streams side by side. Unread are the packets of
 * other codecs and the bytes that are in no page. A page is taken wherever it begins, even within another, and its checksum
 * is not looked at: pages cannot be hidden behind a false one; whoever tries it over and over has the most counted that there
 * could be in so many bytes. Linear in the number of bytes, never throws.
 */
export function oggLength(bytes: Uint8Array): Length {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pages = new Pages(view);
  let gaps = 0;
  let covered = 0;
  for (let at = view.indexOf(pageMark); at >= 0 && !pages.nested; at = view.indexOf(pageMark, at + pageMark.length)) {
    gaps += Math.max(0, at - covered);
    covered = Math.max(covered, pages.read(at));
  }
  if (pages.nested) return { counted: bytes.length * mostSecondsPerByte, claimed: 0, unread: 0 };
  return { counted: pages.counted, claimed: 0, unread: pages.unread + gaps + Math.max(0, view.length - covered) };
}
