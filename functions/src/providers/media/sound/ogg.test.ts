import assert from 'node:assert/strict';
import fc from 'fast-check';
import { flacFrameOf, flacHead, oggOpus, oggPage, opusHead, opusPacket, opusTags, vorbisHeaders } from '../../../../test/sounds.ts';
import { audioSeconds } from '../media.ts';
import { oggLength } from './ogg.ts';

const times = (count: number, packet: Buffer) => new Array<Buffer>(count).fill(packet);
const seconds = (...parts: Buffer[]) => audioSeconds(Buffer.concat(parts), 'audio/ogg');
const sixSeconds = oggOpus(times(300, opusPacket(1, 60)));

describe('ogg: Opus', () => {
  it('is as long as its packets, at any bit rate', () => {
    for (const size of [0, 15, 60, 320, 1270]) assert.equal(seconds(oggOpus(times(300, opusPacket(1, size)))), 6, `${size} bytes`);
  });

  it('is not made shorter by a granule position', () => {
    for (const granule of [0, 1, 48_000, 0xffffffff]) assert.equal(seconds(oggOpus(times(300, opusPacket()), { granule })), 6);
  });

  it('is long where long packets take few bytes', () => {
    const bytes = oggOpus(times(20_000, opusPacket(6, 4))); // 120 ms in 6 bytes
    assert.equal(seconds(bytes), 2400);
    assert.ok(bytes.length / 4000 < 50);
  });

  it('goes on from page to page', () => {
    const long = opusPacket(1, 1000);
    const first = oggPage([opusPacket(), long.subarray(0, 510)], { open: true });
    const pages = (flags: number) => [oggPage([opusHead], { flags: 2 }), oggPage([opusTags]), first, oggPage([long.subarray(510), opusPacket()], { flags })];
    assert.equal(seconds(...pages(1)), 0.06);
    assert.equal(seconds(...pages(0)), 0.12); // the beginning is lost, and what follows is a packet of its own: two frames of 40 ms
    assert.equal(seconds(oggPage([opusHead], { flags: 2 }), oggPage([opusTags]), oggPage([long, opusPacket()], { flags: 1 })), 0.02);
  });

  it('adds up over chained and parallel streams', () => {
    assert.equal(seconds(sixSeconds, sixSeconds), 12);
    assert.equal(seconds(sixSeconds, oggOpus(times(50, opusPacket()), { serial: 2 })), 7);
  });

  it('has the bytes between and behind its pages priced too', () => {
    assert.equal(seconds(Buffer.alloc(4000), sixSeconds), 7);
    assert.equal(seconds(sixSeconds, Buffer.alloc(8000)), 8);
    const cut = seconds(sixSeconds.subarray(0, sixSeconds.length - 100));
    assert.ok(cut > 5.9 && cut < 6.1, `${cut}`);
  });

  it('has pages counted that are hidden behind a false one', () => {
    const hidden = oggOpus(times(200, opusPacket(6, 4)));
    const cover = oggPage([hidden], { serial: 9 });
    assert.ok(seconds(sixSeconds, cover) >= 6 + 24);
    assert.ok(seconds(sixSeconds, oggPage([Buffer.alloc(200)], { serial: 9 }).subarray(0, 60), hidden) >= 6 + 24);
  });

  it('is the most it can be where pages lie in pages all over', () => assert.equal(seconds(Buffer.alloc(100_000, 'OggS\0')), 4000));

  it('is silent with its headers alone', () => {
    assert.equal(seconds(oggOpus([])), 0);
    assert.equal(seconds(oggOpus([Buffer.alloc(0)])), 0);
  });
});

describe('ogg: Vorbis', () => {
  const [identification, comment, setup] = vorbisHeaders() as [Buffer, Buffer, Buffer];
  const start = (headers = [comment, setup]) => Buffer.concat([oggPage([identification], { flags: 2 }), oggPage(headers)]);
  /** Modes are told by the second bit. */
  const [short, long] = [Buffer.from([0, 1, 2]), Buffer.from([2, 1, 2])];
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) <= 0.0006, `${actual} is not ${expected}`);

  it('is as long as its blocks, whatever a granule position says', () => {
    near(seconds(start(), oggPage(times(201, long), { granule: 1 })), (200 * 1024) / 44_100);
    near(seconds(start(), oggPage(times(201, short), { granule: 1e9 })), (200 * 128) / 44_100);
    near(seconds(start(), oggPage([...times(11, short), ...times(11, long)])), (10 * 128 + (64 + 512) + 10 * 1024) / 44_100);
  });

  it('counts every block as long where its setup cannot be read', () => {
    for (const headers of [[comment], [comment, setup.subarray(0, setup.length - 3)]]) near(seconds(start(headers), oggPage(times(201, short))), (200 * 1024) / 44_100);
  });

  it('puts together a setup that goes over pages', () => {
    const padded = Buffer.concat([setup, Buffer.alloc(600)]);
    const pages = [oggPage([padded.subarray(0, 255)], { open: true }), oggPage([padded.subarray(255, 510)], { open: true, flags: 1 }), oggPage([padded.subarray(510)], { flags: 1 })];
    assert.ok(setup.length < 255 || padded.length > 510);
    near(seconds(oggPage([identification], { flags: 2 }), ...pages, oggPage(times(201, short))), (200 * 128) / 44_100);
  });

  it('needs no bit for a single mode, and three for five', () => {
    const withModes = (modes: number[]) => vorbisHeaders({ modes }).map((packet) => oggPage([packet], { flags: 2 }));
    near(seconds(...withModes([0]), oggPage(times(101, long))), (100 * 128) / 44_100);
    near(seconds(...withModes([0, 1, 1, 1, 0]), oggPage(times(101, Buffer.from([4 << 1])))), (100 * 128) / 44_100);
  });
});

describe('ogg: other codecs', () => {
  it('counts the frames of FLAC', () => {
    const head = Buffer.concat([Buffer.from('\x7fFLAC\x01\0\0\x01', 'latin1'), flacHead({ rate: 8000 }).subarray(0, 42)]);
    assert.equal(seconds(oggPage([head], { flags: 2 }), oggPage([Buffer.from('\x84\0\0\0', 'latin1')]), oggPage(times(20, flacFrameOf()))), 20 * 0.512);
  });

  it('prices what it does not know by its bytes', () => {
    const speex = [oggPage([Buffer.from('Speex   1.2'.padEnd(80, '\0'))], { flags: 2 }), oggPage(times(200, Buffer.alloc(40)), { granule: 1 })];
    assert.equal(seconds(...speex), 3);
    assert.equal(seconds(Buffer.from('OggS')), 1);
    assert.equal(seconds(oggPage([Buffer.alloc(255 * 100)], { flags: 2, open: true })), 7);
  });
});

describe('ogg: any bytes', () => {
  const whole = [sixSeconds.subarray(0, 3000), Buffer.concat([...vorbisHeaders().map((packet) => oggPage([packet], { flags: 2 })), oggPage(times(60, Buffer.from([2, 1])))])];
  const isLength = (bytes: Uint8Array) => {
    const { counted, claimed, unread } = oggLength(bytes);
    assert.ok(counted >= 0 && counted < Infinity && claimed === 0 && unread >= 0 && unread < Infinity);
  };

  it('have a length', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(Buffer.from('OggS\0'), opusHead, ...vorbisHeaders(), ...whole));
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => isLength(Buffer.concat(pieces))), { numRuns: 500 });
  });

  it('have one too where a file is damaged', () => {
    fc.assert(fc.property(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }), fc.nat(), (file, changes, cut) => {
      const damaged = Buffer.from(file);
      for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
      isLength(damaged.subarray(0, cut % damaged.length));
    }), { numRuns: 500 });
  });
});
