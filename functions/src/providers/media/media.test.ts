import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { sampleFrame, wav } from '../../../test/vendors/collect.ts';
import { audioSeconds, decodeBase64, imageSize, sniffAudio, sniffImage, wavLoudness } from './media.ts';

const badMedia = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_media' } };
const picture = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#336699' } });
const latin1 = (text: string) => Buffer.from(text.padEnd(64, '\0'), 'latin1');

describe('media: sniffing', () => {
  it('tells pictures by their bytes', async () => {
    assert.equal(sniffImage(sampleFrame(0)), 'image/jpeg');
    assert.equal(sniffImage(await picture(2, 2).png().toBuffer()), 'image/png');
    assert.equal(sniffImage(await picture(2, 2).webp().toBuffer()), 'image/webp');
    for (const other of ['', 'GIF89a', '<svg xmlns=', 'RIFF0000WAVE', '\x89PNG']) assert.equal(sniffImage(Buffer.from(other, 'latin1')), null);
  });

  it('tells sounds by their bytes', () => {
    assert.equal(sniffAudio(wav(new Int16Array(4))), 'audio/wav');
    const known = { 'audio/ogg': 'OggS', 'audio/flac': 'fLaC', 'audio/mpeg': 'ID3\x04', 'audio/mp4': '\0\0\0\x18ftypM4A ', 'audio/webm': '\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm' };
    for (const [mime, start] of Object.entries(known)) assert.equal(sniffAudio(latin1(start)), mime);
    assert.equal(sniffAudio(Buffer.from([0xff, 0xfb, 0x90, 0x00])), 'audio/mpeg');
    // An AAC stream has the same sync word, AVIF the same container, Matroska video the same EBML head.
    assert.equal(sniffAudio(Buffer.from([0xff, 0xf1, 0x50, 0x80])), null);
    for (const other of ['\0\0\0\x18ftypavif', '\x1a\x45\xdf\xa3\x42\x82\x88matroska', 'RIFF0000WEBP', '']) assert.equal(sniffAudio(latin1(other)), null);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      sniffImage(bytes);
      sniffAudio(bytes);
    }));
  });
});

describe('media: seconds and loudness', () => {
  it('reads a WAV from its header', () => {
    assert.equal(audioSeconds(wav(new Int16Array(24_000)), 'audio/wav'), 1.5);
    assert.equal(audioSeconds(wav(new Int16Array(0)), 'audio/wav'), 0);
  });

  it('believes the bytes more than the header', () => {
    const lying = wav(new Int16Array(16_000));
    lying.writeUInt32LE(0xffffffff, 40);
    assert.equal(audioSeconds(lying, 'audio/wav'), 1);
    lying.writeUInt32LE(0xffffffff, 24); // a sample rate that would make an hour cost nothing
    assert.equal(audioSeconds(lying, 'audio/wav'), Math.ceil(lying.length / 4000));
  });

  it('hears nothing in a WAV without a format or without a whole sample', () => {
    const whole = wav(new Int16Array(8));
    const silent = [whole.subarray(0, 12), whole.subarray(0, 36), whole.subarray(0, 44), whole.subarray(0, 45), Buffer.concat([whole.subarray(0, 12), whole.subarray(36)])];
    for (const bytes of silent) assert.deepEqual([sniffAudio(bytes), audioSeconds(bytes, 'audio/wav')], ['audio/wav', 0]);
  });

  it('bounds a WAV of another encoding by its size', () => {
    const adpcm = wav(new Int16Array(6000));
    adpcm.writeUInt16LE(2, 20);
    assert.equal(audioSeconds(adpcm, 'audio/wav'), 4);
    assert.equal(audioSeconds(adpcm.subarray(0, 44), 'audio/wav'), 0);
  });

  it('bounds other formats by 32 kbit/s', () => {
    assert.equal(audioSeconds(Buffer.alloc(1), 'audio/ogg'), 1);
    assert.equal(audioSeconds(Buffer.alloc(8001), 'audio/mpeg'), 3);
  });

  it('is finite and not negative for any WAV-like bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 0, maxLength: 60 }), (tail) => {
      const bytes = Buffer.concat([wav(new Int16Array(8)).subarray(0, 20), tail]);
      const seconds = audioSeconds(bytes, 'audio/wav');
      assert.ok(Number.isFinite(seconds) && seconds >= 0);
      const loudness = wavLoudness(bytes);
      assert.ok(loudness === null || (loudness <= 0 && loudness >= -96));
    }));
  });

  it('measures the root mean square', () => {
    assert.equal(wavLoudness(wav(new Int16Array(100))), -96);
    const half = wavLoudness(wav(new Int16Array(100).fill(16_384)));
    assert.ok(half !== null && Math.abs(half + 6.02) < 0.01);
    assert.equal(wavLoudness(latin1('OggS')), null);
  });
});

describe('media: base64', () => {
  it('takes both alphabets, padded or not, with or without a data head', () => {
    const bytes = Buffer.from([0xfb, 0xff, 0xbf, 0x01]);
    const texts = [bytes.toString('base64'), bytes.toString('base64url'), 'data:image/jpeg;base64,' + bytes.toString('base64'), 'data:;base64,' + bytes.toString('base64')];
    for (const text of texts) assert.deepEqual(decodeBase64(text, 4), bytes);
  });

  it('gives back what was encoded', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      assert.deepEqual(decodeBase64(Buffer.from(bytes).toString('base64'), bytes.length), Buffer.from(bytes));
    }));
  });

  it('takes lines, as tools write them', () => {
    const bytes = Buffer.alloc(100, 7);
    assert.deepEqual(decodeBase64(bytes.toString('base64').replace(/.{40}/g, '$&\r\n'), 100), bytes);
  });

  it('refuses everything else', () => {
    for (const text of ['', '=', 'A', 'AB=', 'AAAA=', '+_AA', 'ÄAAA', 'AA=A', 'data:image/png,AAAA', 'data:;base64', `data:${'x'.repeat(200)};base64,AAAA`]) {
      assert.throws(() => decodeBase64(text, 100), badMedia, text);
    }
  });

  it('refuses what is too large by the length of the text, and quotes nothing of it', () => {
    assert.throws(() => decodeBase64('AAAAAAAA', 5), badMedia);
    assert.equal(decodeBase64('AAAAAAA=', 5).length, 5);
    assert.throws(() => decodeBase64('!'.repeat(1000), 5), (error: Error) => !error.message.includes('!'));
  });
});

describe('media: picture size', () => {
  it('reads every format from the header', async () => {
    const source = picture(37, 21);
    assert.deepEqual(imageSize(sampleFrame(3), 'image/jpeg'), { width: 640, height: 360 });
    const files = {
      'image/jpeg': [await source.clone().jpeg().toBuffer(), await source.clone().jpeg({ progressive: true }).withMetadata().toBuffer()],
      'image/png': [await source.clone().png().toBuffer()],
      'image/webp': [await source.clone().webp().toBuffer(), await source.clone().webp({ lossless: true }).toBuffer(), await source.clone().ensureAlpha(0.5).webp().withMetadata().toBuffer()],
    };
    for (const [mime, list] of Object.entries(files)) {
      for (const bytes of list) assert.deepEqual(imageSize(bytes, mime), { width: 37, height: 21 }, mime);
    }
  });

  it('refuses a bomb and a cut header before decoding', async () => {
    const bomb = await picture(2, 2).png().toBuffer();
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    assert.throws(() => imageSize(bomb, 'image/png'), badMedia);
    assert.throws(() => imageSize(sampleFrame(0), 'image/jpeg', 1000), badMedia);
    assert.throws(() => imageSize(sampleFrame(0).subarray(0, 40), 'image/jpeg'), badMedia);
    assert.throws(() => imageSize(sampleFrame(0), 'image/gif'), badMedia);
  });

  it('throws nothing but bad_media, whatever the bytes', () => {
    const heads = [['image/jpeg', Buffer.from([0xff, 0xd8, 0xff])], ['image/png', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')], ['image/webp', Buffer.from('RIFF0000WEBPVP8', 'latin1')]] as const;
    fc.assert(fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 60 }), ([mime, head], tail) => {
      try {
        imageSize(Buffer.concat([head, tail]), mime);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid-argument');
      }
    }));
  });
});
