import assert from 'node:assert/strict';
import fc from 'fast-check';
import { flacFrameOf, flacHead } from '../../../../test/sounds.ts';
import { flacFrame, flacLength } from './flac.ts';
import { audioSeconds } from '../media.ts';

const seconds = (...parts: Buffer[]) => audioSeconds(Buffer.concat(parts), 'audio/flac');
const frames = (count: number, options: Parameters<typeof flacFrameOf>[0] = {}) => Buffer.concat(Array.from({ length: count }, (_, number) => flacFrameOf({ ...options, number: [number % 128] })));

describe('flac: length', () => {
  it('is that of its frames, at any bit rate', () => {
    for (const sound of [5, 300, 4000]) assert.equal(seconds(flacHead({ total: 40 * 4096 }), frames(40, { sound })), 10.24);
  });

  it('is that of its frames whatever its header claims', () => {
    for (const total of [0, 1, 2 ** 36 - 1]) assert.equal(seconds(flacHead({ total }), frames(40)), 10.24);
  });

  it('has long frames of silence in few bytes', () => {
    const silence = frames(100, { size: 7, sizeTold: [0xff, 0xff], rate: 4, sound: 5 }); // 8.192 s each
    assert.equal(seconds(flacHead(), silence), 819.2);
  });

  it('is not longer for a picture that comes with it', () => assert.equal(seconds(flacHead({ picture: 50_000 }), frames(40)), 10.24));

  it('reads every size and rate that a frame can tell', () => {
    const told: [Parameters<typeof flacFrameOf>[0], number][] = [
      [{ size: 1 }, 192 / 16_000], [{ size: 2 }, 576 / 16_000], [{ size: 5 }, 4608 / 16_000], [{ size: 8 }, 256 / 16_000], [{ size: 15 }, 32_768 / 16_000],
      [{ size: 6, sizeTold: [99] }, 100 / 16_000], [{ rate: 9 }, 4096 / 44_100], [{ rate: 12, rateTold: [8] }, 4096 / 8000], [{ rate: 13, rateTold: [0x1f, 0x40] }, 4096 / 8000],
      [{ rate: 14, rateTold: [0x03, 0x20] }, 4096 / 8000], [{ size: 7, sizeTold: [3, 231], rate: 13, rateTold: [0x1f, 0x40] }, 1000 / 8000], [{ number: [0xe2, 0x82, 0xac] }, 4096 / 16_000],
    ];
    for (const [options, expected] of told) assert.equal(flacFrame(flacFrameOf(options), 0, 16_000)?.seconds, expected, JSON.stringify(options));
  });

  it('takes nothing for a frame that a decoder would not', () => {
    const whole = flacFrameOf();
    const damaged = [1, 2, 3, 4, 5].map((at) => Buffer.from(whole.map((byte, index) => (index === at ? byte ^ 0x10 : byte))));
    for (const bytes of [...damaged, flacFrameOf({ size: 0 }), flacFrameOf({ rate: 15 }), flacFrameOf({ number: [0x80] }), whole.subarray(0, 5), Buffer.alloc(0)]) assert.equal(flacFrame(bytes, 0, 16_000), null);
  });

  it('is the greater of header and bytes where no frame is found', () => {
    assert.equal(seconds(flacHead({ total: 160_000 }), Buffer.alloc(8000)), 10);
    assert.equal(seconds(flacHead({ total: 1 }), Buffer.alloc(8000)), 3);
    assert.equal(seconds(flacHead({ total: 1, rate: 0 }), Buffer.alloc(8000)), 3);
    assert.equal(seconds(Buffer.from('fLaC'), Buffer.alloc(7999)), 3);
  });

  it('is nothing for a file that ends with its metadata', () => {
    const head = flacHead({ total: 160_000 });
    assert.equal(seconds(head), 0);
    head[42] = 0x06; // not the last, it says
    assert.equal(seconds(head), 11 - 1);
    assert.equal(seconds(flacHead({ picture: 50_000 }).subarray(0, 20_000), Buffer.alloc(0)), 5);
  });

  it('is finite and not negative for any bytes', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(flacFrameOf()), fc.constant(Buffer.from([0xff, 0xf8])));
    fc.assert(fc.property(fc.boolean(), fc.array(piece, { maxLength: 10 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (headed, pieces, changes) => {
      const bytes = Buffer.concat([headed ? flacHead({ total: 99 }) : Buffer.from('fLaC'), ...pieces]);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      const { counted, claimed, unread } = flacLength(bytes);
      assert.ok([counted, claimed, unread].every((value) => value >= 0 && value < Infinity));
    }), { numRuns: 500 });
  });
});
