import { elementsOf, ids, variableInteger } from './ebml.ts';
import type { Length } from './length.ts';
import { opusSeconds } from './opus.ts';
import { VorbisCounter } from './vorbis.ts';

/** Types of tracks (RFC 9559, section 5.1.4.1.3) that hold no sound: video, logo, subtitle, buttons, control. */
const silentTypes = new Set([1, 16, 17, 18, 32]);

/** A track as it is declared. */
interface Track {
  number: number;
  type: number;
  codec: string;
  /** The codec's own headers. */
  setup: Buffer;
  /** Whether its blocks are compressed or encrypted, so that their first bytes tell nothing. */
  encoded: boolean;
}

const nothing = Buffer.alloc(0);

/** What a file declares of itself. */
interface Head {
  tracks: Map<number, Track>;
  /** Seconds of a tick. */
  tick: number;
  /** Claimed length in ticks. */
  duration: number;
}

const toNumber = (body: Buffer) => body.subarray(-8).reduce((sum, byte) => sum * 256 + byte, 0);
const toFloat = (body: Buffer) => (body.length === 4 ? body.readFloatBE() : body.length === 8 ? body.readDoubleBE() : 0);

function headOf(bytes: Buffer): Head {
  const all: Track[] = [];
  const head = { tick: 0.001, duration: 0 };
  for (const { id, body } of elementsOf(bytes)) {
    const track = all.at(-1);
    if (id === ids.timestampScale) head.tick = toNumber(body) / 1e9;
    else if (id === ids.duration) head.duration = Math.max(head.duration, toFloat(body) || 0);
    else if (id === ids.track) all.push({ number: 0, type: 0, codec: '', setup: nothing, encoded: false });
    else if (track && id === ids.trackNumber) track.number = toNumber(body);
    else if (track && id === ids.trackType) track.type = toNumber(body);
    else if (track && id === ids.codec) track.codec = body.toString('latin1', 0, 20);
    else if (track && id === ids.codecPrivate) track.setup = body;
    else if (track && id === ids.encodings) track.encoded = true;
  }
  // Of two with the same number the first is played.
  return { ...head, tracks: new Map(all.toReversed().map((track) => [track.number, track])) };
}

/** Seconds of a frame of a track, given in the order of the file; null when they cannot be counted. */
function counterOf({ codec, setup, encoded }: Track): ((frame: Buffer) => number) | null {
  if (codec.startsWith('A_OPUS')) return encoded ? () => opusSeconds(longestFrame) : opusSeconds;
  if (!codec.startsWith('A_VORBIS') || encoded) return null;
  const [identification, , setUp] = laced(setup.subarray(1), (setup[0] ?? 0) + 1, 'xiph');
  if (!identification || !setUp) return null;
  const counter = new VorbisCounter(identification);
  counter.setUp(setUp);
  return (frame) => counter.secondsOf(frame);
}

/** An Opus packet of the greatest length there is: two frames of 60 ms. */
const longestFrame = Buffer.from([0x19]);

/** How frames share a block, by two bits of its flags (RFC 9559, section 10.3). */
const lacings = ['none', 'xiph', 'fixed', 'ebml'] as const;
type Lacing = (typeof lacings)[number];

/** The frames that share a block, or as many as it really holds. The sizes of all but the last stand before them. */
function laced(body: Buffer, count: number, lacing: Lacing): Buffer[] {
  if (lacing === 'none' || body.length < count) return [body];
  if (lacing === 'fixed') return cut(body, new Array<number>(count - 1).fill(Math.floor(body.length / count)));
  const sizes: number[] = [];
  let at = 0;
  while (sizes.length < count - 1 && at < body.length) {
    if (lacing === 'xiph') {
      let size = 0;
      while (body[at] === 255) size += body[at++]!;
      sizes.push(size + (body[at++] ?? 0));
    } else {
      const size = variableInteger(body, at);
      if (!size) break;
      // All but the first are differences, moved so that they can be negative.
      sizes.push(sizes.length === 0 ? size.value : Math.max(0, sizes.at(-1)! + size.value - (2 ** (7 * size.length - 1) - 1)));
      at += size.length;
    }
  }
  return cut(body.subarray(at), sizes);
}

/** Frames of these sizes, and one of what is left. */
function cut(body: Buffer, sizes: number[]): Buffer[] {
  let at = 0;
  return [...sizes, body.length].map((size) => body.subarray(at, (at += size)));
}

/** Counts the blocks of one file. */
function countBlocks(bytes: Buffer, { tracks, tick }: Head) {
  const counters = new Map([...tracks].map(([number, track]) => [number, { seconds: 0, count: counterOf(track) }]));
  const sum = { unread: 0, lastTick: 0, uncounted: false };
  let cluster = 0;
  for (const { id, body } of elementsOf(bytes, (count) => { sum.unread += count; })) {
    if (id === ids.timestamp) cluster = toNumber(body);
    const number = id === ids.block || id === ids.simpleBlock ? variableInteger(body, 0) : null;
    if (!number || body.length < number.length + 3) continue;
    if (silentTypes.has(tracks.get(number.value)?.type ?? 0)) continue;
    const flags = body[number.length + 2]!;
    const lacing = lacings[(flags >> 1) & 3]!;
    const frames = body.subarray(number.length + (lacing === 'none' ? 3 : 4));
    const counter = counters.get(number.value);
    if (counter?.count) {
      for (const frame of laced(frames, (body[number.length + 3] ?? 0) + 1, lacing)) counter.seconds += counter.count(frame);
    } else {
      sum.uncounted = true;
      sum.unread += body.length;
      sum.lastTick = Math.max(sum.lastTick, cluster + body.readInt16BE(number.length));
    }
  }
  return { ...sum, lastSecond: sum.lastTick * tick, counted: Math.max(0, ...[...counters.values()].map(({ seconds }) => seconds)) };
}

/**
 * Length of a WebM (RFC 9559): the sum over the frames of its Opus or Vorbis track, the longest if there are several, whatever
 * its duration and timestamps say. These speak for tracks of other codecs, the greater of the two. Unread are the blocks of such
 * tracks and the bytes that are no element; blocks of video are no sound. Linear in the number of bytes, never throws.
 */
export function webmLength(bytes: Uint8Array): Length {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = headOf(view);
  const { counted, unread, uncounted, lastSecond } = countBlocks(view, head);
  const claimed = uncounted ? Math.max(head.duration * head.tick, lastSecond) - counted : 0;
  return { counted, claimed: Number.isFinite(claimed) ? Math.max(0, claimed) : 0, unread };
}
