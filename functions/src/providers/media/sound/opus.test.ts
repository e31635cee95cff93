import assert from 'node:assert/strict';
import fc from 'fast-check';
import { opusSeconds } from './opus.ts';

const packet = (config: number, code: number, ...rest: number[]) => Uint8Array.of(config * 8 + code, ...rest);

describe('opus: seconds of a packet', () => {
  it('follow from its configuration', () => {
    const table = { 0: 10, 3: 60, 5: 20, 11: 60, 12: 10, 15: 20, 16: 2.5, 17: 5, 27: 20, 31: 20 };
    for (const [config, ms] of Object.entries(table)) assert.equal(opusSeconds(packet(Number(config), 0)), ms / 1000, config);
    // Mono or stereo makes no difference.
    assert.equal(opusSeconds(Uint8Array.of(31 * 8 + 4)), 0.02);
  });

  it('follow from its number of frames', () => {
    assert.equal(opusSeconds(packet(31, 1)), 0.04);
    assert.equal(opusSeconds(packet(31, 2, 5)), 0.04);
    assert.equal(opusSeconds(packet(31, 3, 0xc0 | 5)), 0.1); // padded, with a variable bit rate
    assert.equal(opusSeconds(packet(16, 3, 48)), 0.12);
    assert.equal(opusSeconds(packet(31, 3)), 0);
  });

  it('are no more than a packet may have, and none for none', () => {
    assert.equal(opusSeconds(packet(3, 3, 63)), 0.12);
    assert.equal(opusSeconds(new Uint8Array()), 0);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 4 }), (bytes) => {
      const seconds = opusSeconds(bytes);
      assert.ok(seconds >= 0 && seconds <= 0.12);
    }));
  });
});
