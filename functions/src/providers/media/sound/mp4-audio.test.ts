import assert from 'node:assert/strict';
import fc from 'fast-check';
import { box, fullBox, opusPacket, sampleEntry, u32 } from '../../../../test/sounds.ts';
import { audioSeconds } from '../media.ts';
import { mp4Length } from './mp4-audio.ts';

const seconds = (...parts: Buffer[]) => audioSeconds(Buffer.concat(parts), 'audio/mp4');
const numbers = (...list: number[]) => Buffer.concat(list.map(u32));
const head = box('ftyp', Buffer.from('M4A \0\0\0\0', 'latin1'));
/** Scale and duration of `mvhd` or `mdhd`. */
const times = (type: string, scale: number, duration: number) => fullBox(type, 0, 0, numbers(0, 0, scale, duration, 0));
const longTimes = (type: string, scale: number, duration: number) => fullBox(type, 1, 0, numbers(0, 0, 0, 0, scale, Math.floor(duration / 2 ** 32), duration % 2 ** 32, 0));

interface Claims {
  entry?: Buffer;
  handler?: string;
  movie?: Buffer;
  media?: Buffer;
  /** Count and ticks of each sample. */
  stts?: number[];
  tables?: Buffer[];
}
const moov = ({ entry = sampleEntry('mp4a'), handler = 'soun', movie = times('mvhd', 1000, 0), media = times('mdhd', 44_100, 0), stts = [], tables = [] }: Claims) => box('moov', movie,
  box('trak', fullBox('tkhd', 0, 7, numbers(0, 0, 1, 0, 0)), box('mdia', media, fullBox('hdlr', 0, 0, numbers(0), Buffer.from(handler), Buffer.alloc(13)),
    box('minf', box('stbl', fullBox('stsd', 0, 0, numbers(1), entry), fullBox('stts', 0, 0, numbers(stts.length / 2, ...stts)), ...tables)))),
  box('mvex', fullBox('trex', 0, 0, numbers(1, 1, 960, 21, 0))));
const stsz = (...sizes: number[]) => fullBox('stsz', 0, 0, numbers(0, sizes.length, ...sizes));
const sameSize = (size: number, count: number) => fullBox('stsz', 0, 0, numbers(size, count));
const stsc = (...entries: number[]) => fullBox('stsc', 0, 0, numbers(entries.length / 3, ...entries));
const stco = (...offsets: number[]) => fullBox('stco', 0, 0, numbers(offsets.length, ...offsets));

describe('mp4: a codec of which only headers speak', () => {
  const m4a = (claims: Claims, bytes = 1000, count = 10) => seconds(head, moov({ tables: [sameSize(100, count)], ...claims }), box('mdat', Buffer.alloc(bytes)));

  it('takes the greatest claim', () => {
    assert.equal(m4a({ movie: times('mvhd', 1000, 12_500) }), 12.5);
    assert.equal(m4a({ media: times('mdhd', 8000, 100_000) }), 12.5);
    assert.equal(m4a({ media: longTimes('mdhd', 8000, 100_000), movie: longTimes('mvhd', 1000, 12_000) }), 12.5);
    assert.equal(m4a({ media: times('mdhd', 8000, 5), stts: [10, 8000, 5, 4000] }), 12.5);
    assert.equal(m4a({}, 1000, 1000), 23.22); // frames of 1024 samples at 44.1 kHz
    assert.equal(m4a({ entry: sampleEntry('mp4a', { kind: 5, rate: 6 }) }, 1000, 1000), 42.667); // a core at 24 kHz
    assert.equal(m4a({ entry: sampleEntry('mp4a', { kind: 1 }), movie: times('mvhd', 1, 3) }, 1000, 1000), 3);
    assert.equal(m4a({ entry: sampleEntry('alac'), movie: times('mvhd', 1, 3) }, 1000, 1000), 3);
  });

  it('takes its bytes where they are more', () => {
    assert.equal(m4a({ movie: times('mvhd', 1000, 500) }, 20_000), 6);
    assert.equal(m4a({ movie: times('mvhd', 0, 500), media: times('mdhd', 0, 99) }, 20_000), 6);
  });

  it('knows that all bits set mean an unknown duration', () => {
    assert.equal(m4a({ movie: times('mvhd', 1000, 0xffffffff), media: longTimes('mdhd', 1000, 2 ** 64) }, 20_000), 6);
  });

  it('adds up its fragments', () => {
    const fragment = (...boxes: Buffer[]) => box('moof', box('traf', ...boxes));
    const times3 = fullBox('trun', 0, 0x301, numbers(3, 8, 1000, 5, 2000, 5, 3000, 5));
    const usual = fullBox('trun', 0, 0x201, numbers(2, 8, 5, 5));
    const movie = moov({ entry: sampleEntry('alac'), media: times('mdhd', 1000, 0) });
    assert.equal(seconds(head, movie, fragment(fullBox('tfhd', 0, 0, numbers(1)), times3, usual)), 6 + 1.92);
    assert.equal(seconds(head, movie, fragment(fullBox('tfhd', 0, 0x3b, numbers(1, 0, 0, 1, 4000, 9, 0)), usual)), 8);
    assert.equal(seconds(head, movie, fragment(fullBox('tfhd', 0, 0, numbers(7)), times3)), 1); // another track's
  });
});

describe('mp4: Opus', () => {
  const packets = [opusPacket(1, 30), opusPacket(2, 20), opusPacket(3, 10), opusPacket(6, 4)]; // 20, 40, 60 and 120 ms
  const sizes = packets.map(({ length }) => length);
  const data = box('mdat', ...packets);
  const first = head.length + 8;
  const opus = (...tables: Buffer[]) => [head, data, moov({ entry: sampleEntry('Opus'), movie: times('mvhd', 1000, 99_000), stts: [4, 1], tables })];

  it('is as long as its packets, whatever it claims', () => {
    assert.equal(seconds(...opus(stsz(...sizes), stsc(1, 4, 1), stco(first))), 0.24);
    const third = first + sizes[0]! + sizes[1]!;
    assert.equal(seconds(...opus(stsz(...sizes), stsc(1, 2, 1), stco(first, third))), 0.24);
    assert.equal(seconds(...opus(stsz(...sizes), stsc(1, 2, 1, 2, 1, 1), fullBox('co64', 0, 0, numbers(3, 0, first, 0, third, 0, third + sizes[2]!)))), 0.24);
  });

  it('is as long as the packets of its fragments', () => {
    const movie = moov({ entry: sampleEntry('Opus') });
    const fragment = (offset: number) => box('moof', box('traf', fullBox('tfhd', 0, 0x20000, numbers(1)), fullBox('trun', 0, 0x201, numbers(4, offset, ...sizes))));
    assert.equal(seconds(head, movie, fragment(fragment(0).length + 8), data), 0.24);
    // Without an offset nobody knows where they are.
    const lost = box('moof', box('traf', fullBox('tfhd', 0, 0x20000, numbers(1)), fullBox('trun', 0, 0x200, numbers(4, ...sizes))));
    assert.equal(seconds(head, movie, lost, data), 0.498); // 120 ms each, and 70 bytes
  });

  it('counts packets of a compact table as the longest', () => assert.ok(seconds(...opus(fullBox('stz2', 0, 0, numbers(8, 4), Buffer.from(sizes)), stsc(1, 4, 1), stco(first))) >= 0.48));

  it('prices data that no table tells of by its bytes', () => {
    assert.equal(seconds(box('mdat', Buffer.alloc(4000)), ...opus(stsz(...sizes), stsc(1, 4, 1), stco(first + 4008))), 1.24);
    assert.equal(seconds(...opus(stsz(...sizes), stsc(1, 4, 1), stco(first)), Buffer.alloc(4000, '\0\0\0\x03')), 1.24); // boxes end here
  });

  it('ends with tables that list more than there is', () => {
    const bytes = opus(sameSize(1, 0xffffffff), stsc(1, 0xffffffff, 1), stco(first, first, first));
    assert.ok(seconds(...bytes) < 120);
  });

  it('is not believed to be Opus with a second description', () => {
    const two = fullBox('stsd', 0, 0, numbers(2), sampleEntry('Opus'), sampleEntry('mp4a'));
    const movie = moov({ tables: [stsz(...sizes), stsc(1, 4, 1), stco(first), two], movie: times('mvhd', 1, 9) });
    assert.equal(seconds(head, data, movie), 9);
  });
});

describe('mp4: no sound, and no sense', () => {
  it('has none without a track that could have sound', () => {
    assert.equal(seconds(head, moov({ handler: 'vide', tables: [sameSize(10, 10)] }), box('mdat', Buffer.alloc(100))), 0);
  });

  it('is priced by its headers or bytes where no sample is found', () => {
    assert.equal(seconds(head, moov({ movie: times('mvhd', 1, 9) })), 9);
    assert.equal(seconds(head, moov({ entry: sampleEntry('Opus') }), box('mdat', Buffer.alloc(20_000))), 6);
    for (const parts of [[head], [head, box('mdat', Buffer.alloc(50))], [head, Buffer.from([0, 0, 0, 3, 1, 1, 1, 1])]]) assert.equal(seconds(...parts), 1);
    assert.equal(seconds(head, box('mdat', Buffer.alloc(20_000))), 6);
  });

  it('is finite and not negative for any bytes', () => {
    const whole = Buffer.concat([head, moov({ tables: [stsz(5, 6), stsc(1, 2, 1), stco(30)], stts: [2, 5] }), moov({ entry: sampleEntry('Opus'), tables: [sameSize(5, 6), stsc(1, 2, 1), stco(30, 40)] }),
      box('moof', box('traf', fullBox('tfhd', 0, 0x39, numbers(1, 0, 0, 5, 6, 0)), fullBox('trun', 0, 0x305, numbers(2, 0, 0, 5, 5, 5, 5)))), box('mdat', Buffer.alloc(40))]);
    const isLength = (bytes: Uint8Array) => {
      const { counted, claimed, unread } = mp4Length(bytes);
      assert.ok([counted, claimed, unread].every((value) => value >= 0 && value < Infinity));
    };
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 12 }), fc.nat(), (changes, cut) => {
      const damaged = Buffer.from(whole);
      for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
      isLength(damaged.subarray(0, damaged.length - (cut % 200)));
    }), { numRuns: 1000 });
    fc.assert(fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(box('trak'), box('moof'), stsz(1, 2), stco(0, 9), stsc(1, 9, 1), fullBox('trun', 0, 0, numbers(0xffffffff)), fullBox('tfhd', 0, 1, numbers(0, 0, 0)))), { maxLength: 12 }), (pieces) => isLength(Buffer.concat(pieces))), { numRuns: 500 });
  });
});
