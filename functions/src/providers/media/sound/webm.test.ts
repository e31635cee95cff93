import assert from 'node:assert/strict';
import fc from 'fast-check';
import { element, opusPacket, vorbisHeaders } from '../../../../test/sounds.ts';
import { ids } from './ebml.ts';
import { audioSeconds } from '../media.ts';
import { webmLength } from './webm.ts';

const times = (count: number, packet: Buffer) => new Array<Buffer>(count).fill(packet);
const seconds = (...parts: Buffer[]) => audioSeconds(Buffer.concat(parts), 'audio/webm');
const text = (value: string) => Buffer.from(value, 'latin1');
const float = (value: number) => { const body = Buffer.alloc(8); body.writeDoubleBE(value); return body; };

const head = element(0x1a45dfa3, [element(0x4282, text('webm'))]);
const info = (duration: number) => element(ids.info, [element(ids.timestampScale, [0x0f, 0x42, 0x40]), element(ids.duration, float(duration))]);
const track = (codec: string, { number = 1, type = 2, extra = [] as Buffer[] } = {}) => element(ids.track, [element(ids.trackNumber, [number]), element(ids.trackType, [type]), element(ids.codec, text(codec)), ...extra]);
const tracks = (...list: Buffer[]) => element(ids.tracks, list);
/** A block without lacing; flags and what follows can be given. */
const block = (frames: Buffer, { number = 1, at = 0, flags = 0x80, id = ids.simpleBlock } = {}) => element(id, Buffer.concat([Buffer.from([0x80 | number, at >> 8, at & 255, flags]), frames]));
const cluster = (blocks: Buffer[], { at = 0, unknown = false } = {}) => element(ids.cluster, [element(ids.timestamp, [at >> 8, at & 255]), ...blocks], { unknown });
const segment = (...parts: Buffer[]) => Buffer.concat([head, element(ids.segment, parts)]);
const opusBlocks = (count: number, size = 60) => times(count, block(opusPacket(1, size)));
const opus = tracks(track('A_OPUS'));

describe('webm: Opus', () => {
  it('is as long as its packets, whatever it claims', () => {
    for (const claimed of [0, 1, 6020, 1e9, -5, NaN, Infinity]) assert.equal(seconds(segment(info(claimed), opus, cluster(opusBlocks(300), { at: 9999 }))), 6);
    for (const size of [0, 15, 320]) assert.equal(seconds(segment(opus, cluster(opusBlocks(300, size)))), 6);
  });

  it('is the same as a recorder streams it: without sizes, and in block groups', () => {
    const group = element(ids.blockGroup, [element(0x9b, [20]), block(opusPacket(), { id: ids.block, flags: 0 })]);
    const live = Buffer.concat([head, element(ids.segment, [opus, ...times(3, cluster(times(50, group), { unknown: true }))], { unknown: true })]);
    assert.equal(seconds(live), 3);
  });

  it('counts frames that share a block', () => {
    const [a, b, c] = [opusPacket(1, 9), opusPacket(2, 300), opusPacket(3, 12)];
    const xiph = Buffer.concat([Buffer.from([2, 10, 255, 301 - 255]), a, b, c]);
    const ebml = Buffer.concat([Buffer.from([2, 0x80 | 10, 0x40 | ((291 + 8191) >> 8), (291 + 8191) & 255]), a, b, c]);
    const fixed = Buffer.concat([Buffer.from([2]), a, a, a]);
    assert.equal(seconds(segment(opus, cluster([block(xiph, { flags: 2 })]))), 0.12);
    assert.equal(seconds(segment(opus, cluster([block(ebml, { flags: 6 })]))), 0.12);
    assert.equal(seconds(segment(opus, cluster([block(fixed, { flags: 4 })]))), 0.06);
  });

  it('counts the longest of its tracks, and no video', () => {
    const both = tracks(track('V_VP8', { type: 1, number: 3 }), track('A_OPUS'), track('A_OPUS', { number: 2 }));
    const blocks = [...opusBlocks(50), ...times(100, block(opusPacket(), { number: 2 })), ...times(9, block(Buffer.alloc(9000), { number: 3 }))];
    assert.equal(seconds(segment(info(60_000), both, cluster(blocks))), 2);
  });

  it('counts packets that it cannot look into as the longest', () => {
    const packed = tracks(track('A_OPUS', { extra: [element(ids.encodings, [element(0x6240, [])])] }));
    assert.equal(seconds(segment(packed, cluster(opusBlocks(50, 0)))), 6);
  });

  it('goes on with the next cluster after damage, and has that priced', () => {
    const whole = segment(opus, cluster(opusBlocks(50)), Buffer.alloc(4000), cluster(opusBlocks(50)));
    assert.equal(seconds(whole), 3);
    const overrun = Buffer.concat([Buffer.from([0xec, 0x01, 0, 0, 0, 0x7f, 0, 0, 0]), cluster(opusBlocks(50))]);
    assert.ok(seconds(segment(opus, cluster(opusBlocks(50)), overrun)) >= 2);
    // What reaches out of its cluster hides nothing; an index may name clusters.
    const reaching = cluster([element(0xec, Buffer.concat([Buffer.alloc(400), cluster(opusBlocks(50))]))]);
    assert.ok(seconds(segment(opus, cluster(opusBlocks(50)), reaching)) >= 2);
    assert.equal(seconds(segment(element(ids.seekHead, [element(0x53ab, [0x1f, 0x43, 0xb6, 0x75])]), opus, cluster(opusBlocks(50)))), 1);
    const cut = segment(opus, cluster(opusBlocks(300)));
    assert.ok(Math.abs(seconds(cut.subarray(0, cut.length - 30)) - 5.98) < 0.02);
  });
});

describe('webm: other codecs', () => {
  const setup = (headers: Buffer[]) => element(ids.codecPrivate, Buffer.concat([Buffer.from([2, headers[0]!.length, headers[1]!.length]), ...headers]));
  const vorbis = (headers: Buffer[]) => tracks(track('A_VORBIS', { extra: [setup(headers)] }));

  it('counts the blocks of Vorbis', () => {
    const counted = seconds(segment(info(1), vorbis(vorbisHeaders()), cluster(times(201, block(Buffer.from([0, 1]))))));
    assert.ok(Math.abs(counted - (200 * 128) / 44_100) < 0.001, `${counted}`);
  });

  it('takes the greatest of duration, timestamps and bytes for the rest', () => {
    const aac = (duration: number, at: number, size: number) => seconds(segment(info(duration), tracks(track('A_AAC')), cluster([block(Buffer.alloc(size))]), cluster([block(Buffer.alloc(9), { at: 500 })], { at })));
    assert.equal(aac(12_345, 3000, 9), 12.345);
    assert.equal(aac(1, 9500, 9), 10);
    assert.equal(aac(1, 1, 20_000), 6);
    assert.equal(aac(NaN, 0, 20_000), 6);
    const bare = tracks(track('A_VORBIS'));
    assert.equal(seconds(segment(info(7000), bare, cluster(times(9, block(Buffer.alloc(9)))))), 7);
  });

  it('prices blocks of a track that it does not know by their bytes', () => assert.equal(seconds(segment(opus, cluster([block(Buffer.alloc(20_000), { number: 5 })]))), 6));

  it('has no sound without a block that could have one', () => {
    assert.equal(seconds(segment(info(9000), opus)), 0);
    assert.equal(seconds(segment(info(9000), tracks(track('V_VP8', { type: 1 })), cluster(opusBlocks(9)))), 0);
  });
});

describe('webm: any bytes', () => {
  const whole = segment(info(5), tracks(track('A_OPUS'), track('A_AAC', { number: 2 })), cluster([...opusBlocks(3, 4), block(Buffer.from([2, 1, 1, 7, 8, 9]), { flags: 2 }), block(Buffer.from([2, 0x81, 0xbf, 7, 8, 9]), { flags: 6 }), block(opusPacket(), { number: 2 })]));
  const isLength = (bytes: Uint8Array) => {
    const { counted, claimed, unread } = webmLength(bytes);
    assert.ok([counted, claimed, unread].every((value) => value >= 0 && value < Infinity));
  };

  it('have a length', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(opus, cluster(opusBlocks(2)), block(Buffer.from([255, 255, 255]), { flags: 6 }), element(ids.duration, float(1e308)), element(ids.timestampScale, times(8, Buffer.from([255])))));
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => isLength(Buffer.concat(pieces))), { numRuns: 500 });
  });

  it('have one too where a file is damaged', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }), fc.nat(), (changes, cut) => {
      const damaged = Buffer.from(whole);
      for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
      isLength(damaged.subarray(0, cut % (damaged.length + 1)));
    }), { numRuns: 1000 });
  });
});
