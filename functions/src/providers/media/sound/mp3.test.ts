import assert from 'node:assert/strict';
import fc from 'fast-check';
import { audioSeconds } from '../media.ts';
import { mp3Seconds } from './mp3.ts';

/** Version bits, index of the bit rate and of the sample rate: bytes and milliseconds of such a frame. */
const kinds = {
  mpeg1at128: { header: [0xfb, 0x90], length: 417, ms: (1152 / 44_100) * 1000 },
  mpeg1at320: { header: [0xfb, 0xe4], length: 960, ms: 24 },
  mpeg1padded: { header: [0xfb, 0x92], length: 418, ms: (1152 / 44_100) * 1000 },
  mpeg1withCrc: { header: [0xfa, 0x94], length: 384, ms: 24 },
  mpeg2at8: { header: [0xf3, 0x14], length: 24, ms: 24 },
  mpeg25at8: { header: [0xe3, 0x18], length: 72, ms: 72 },
};
type Kind = keyof typeof kinds;

const frame = (kind: Kind) => Buffer.concat([Buffer.from([0xff, ...kinds[kind].header, 0xc0]), Buffer.alloc(kinds[kind].length - 4)]);
const mp3 = (...list: Kind[]) => Buffer.concat(list.map(frame));
const secondsOf = (...list: Kind[]) => list.reduce((sum, kind) => sum + kinds[kind].ms, 0) / 1000;
const times = (kind: Kind, count: number): Kind[] => new Array<Kind>(count).fill(kind);

/** An ID3v2 tag whose size is as given, in 7 bits a byte. */
const tag = (size: number, { claims = size, flags = 0 } = {}) => Buffer.concat([
  Buffer.from([0x49, 0x44, 0x33, 4, 0, flags, (claims >> 21) & 0x7f, (claims >> 14) & 0x7f, (claims >> 7) & 0x7f, claims & 0x7f]), Buffer.alloc(size, 0x41),
]);
const close = (actual: number | null, expected: number) => assert.ok(actual !== null && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

describe('mp3: length', () => {
  it('counts frames of every MPEG version', () => {
    for (const kind of Object.keys(kinds) as Kind[]) close(mp3Seconds(mp3(...times(kind, 10))), secondsOf(...times(kind, 10)));
  });

  it('is whole where the frames are', () => {
    assert.equal(mp3Seconds(mp3(...times('mpeg2at8', 125))), 3);
    assert.equal(mp3Seconds(mp3(...times('mpeg1at320', 125))), 3);
  });

  it('follows a variable bit rate, whatever its header claims', () => {
    const list: Kind[] = ['mpeg1at320', ...times('mpeg1withCrc', 5), ...times('mpeg1at320', 7)];
    const bytes = mp3(...list);
    bytes.write('Xing\0\0\0\x01\0\0\0\x01', 36, 'latin1'); // one frame, it says
    close(mp3Seconds(bytes), secondsOf(...list));
  });

  it('passes over tags, garbage and a cut end', () => {
    const list = times('mpeg1at128', 40);
    const sound = mp3(...list);
    const expected = secondsOf(...list);
    close(mp3Seconds(Buffer.concat([tag(300), sound])), expected);
    close(mp3Seconds(Buffer.concat([tag(5), tag(200), sound])), expected);
    close(mp3Seconds(Buffer.concat([tag(20, { flags: 0x10 }), Buffer.from('3DI\x04\0\x10\0\0\0\x14', 'latin1'), sound])), expected);
    close(mp3Seconds(Buffer.concat([sound, Buffer.from('TAG'.padEnd(128, ' '), 'latin1')])), expected);
    close(mp3Seconds(Buffer.concat([sound.subarray(0, 417 * 3), Buffer.from('lost'), sound.subarray(417 * 3)])), expected);
    close(mp3Seconds(sound.subarray(0, sound.length - 200)), expected);
  });

  it('does not believe a tag that claims more than there is', () => {
    const sound = mp3(...times('mpeg1at128', 40));
    close(mp3Seconds(Buffer.concat([tag(0, { claims: 0x0fffffff }), sound])), secondsOf(...times('mpeg1at128', 40)));
  });

  it('is null for what is no MP3', () => {
    const aac = Buffer.from([0xff, 0xf1, 0x50, 0x80, 0, 0, 0]);
    const freeFormat = Buffer.concat([Buffer.from([0xff, 0xfb, 0x00, 0xc0]), Buffer.alloc(400)]);
    const hidden = Buffer.concat([frame('mpeg2at8'), Buffer.alloc(1000, 0x55)]);
    for (const bytes of [Buffer.alloc(0), Buffer.from('ID3'), tag(50), Buffer.alloc(5000), Buffer.alloc(5000, 0xff), aac, freeFormat, hidden]) assert.equal(mp3Seconds(bytes), null);
  });

  it('is finite and not negative, and no longer than 8 kbit/s allow, whatever the bytes', () => {
    const pieces = fc.array(fc.oneof(fc.constantFrom(...(Object.keys(kinds) as Kind[])).map(frame), fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 99 }).map((size) => tag(size))), { maxLength: 20 });
    fc.assert(fc.property(pieces, fc.boolean(), (list, tagged) => {
      const bytes = Buffer.concat(tagged ? [tag(3), ...list] : list);
      const seconds = mp3Seconds(bytes);
      assert.ok(seconds === null || (seconds > 0 && seconds <= bytes.length / 1000 + 0.072));
      assert.ok(audioSeconds(bytes, 'audio/mpeg') > 0);
    }), { numRuns: 500 });
  });

  it('reads each byte a bounded number of times', () => {
    const reads = (size: number) => {
      let count = 0;
      const counted = new Proxy(new Uint8Array(size).fill(0xff), { get: (bytes, key) => { count += Number(typeof key === 'string' && /^\d+$/.test(key)); const value: unknown = Reflect.get(bytes, key); return typeof value === 'function' ? value.bind(bytes) as unknown : value; } });
      mp3Seconds(counted);
      return count / size;
    };
    const perByte = reads(20_000);
    assert.ok(perByte >= 1 && perByte < 12, `${perByte} reads a byte`);
  });
});

describe('mp3: what it is priced by', () => {
  it('is its length, not its size', () => {
    assert.equal(audioSeconds(mp3(...times('mpeg1at320', 125)), 'audio/mpeg'), 3);
    assert.equal(audioSeconds(mp3(...times('mpeg2at8', 125)), 'audio/mpeg'), 3);
  });

  it('is bounded by its size where its frames do not tell', () => assert.equal(audioSeconds(tag(7990), 'audio/mpeg'), 2));
});
