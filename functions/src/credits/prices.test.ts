import assert from 'node:assert/strict';
import fc from 'fast-check';
import { noUsage, type Usage } from '../providers/types.ts';
import { actualPrice, estimatePrice, inputPrice, maxOutputTokens, type PricedInput } from './prices.ts';
import type { DofRates } from './schema.ts';

const rates: DofRates = { frame: 5, highSpeedFrame: 9, instruction: 2, audioSecond: 3, inputPer1kTokens: 4, outputPer1kTokens: 10 };
const free: DofRates = { frame: 0, highSpeedFrame: 0, instruction: 0, audioSecond: 0, inputPer1kTokens: 0, outputPer1kTokens: 0 };
const nothing: PricedInput = { frame: false, highSpeed: false, instruction: false, audioSeconds: 0, textCharacters: 0 };

const anyRates: fc.Arbitrary<DofRates> = fc.record({
  frame: fc.nat(1_000), highSpeedFrame: fc.nat(1_000), instruction: fc.nat(1_000), audioSecond: fc.nat(1_000), inputPer1kTokens: fc.nat(1_000), outputPer1kTokens: fc.nat(1_000),
});
const anyInput: fc.Arbitrary<PricedInput> = fc.record({
  frame: fc.boolean(), highSpeed: fc.boolean(), instruction: fc.boolean(), audioSeconds: fc.double({ min: 0, max: 600, noNaN: true }), textCharacters: fc.nat(50_000),
});
const tokens = fc.nat(10_000_000);
const anyUsage: fc.Arbitrary<Usage> = fc.record({
  textInputTokens: tokens, imageInputTokens: tokens, audioInputTokens: tokens, cachedInputTokens: tokens, outputTokens: tokens, reasoningTokens: tokens,
});

/** Usage within the bounds that the estimate is made of; reasoning is part of what a model may generate. */
function usageWithin(input: PricedInput): fc.Arbitrary<Usage> {
  return fc.nat(maxOutputTokens).chain((generated) => fc.record({
    textInputTokens: fc.nat(Math.ceil(input.textCharacters / 2)),
    imageInputTokens: fc.nat(input.frame ? 16 * 258 : 0),
    audioInputTokens: fc.nat(Math.ceil(input.audioSeconds) * 32),
    cachedInputTokens: tokens,
    outputTokens: fc.constant(generated),
    reasoningTokens: fc.nat(maxOutputTokens - generated),
  }));
}

describe('prices: what was sent', () => {
  it('prices each part by its own rate', () => {
    assert.equal(inputPrice(rates, { ...nothing, frame: true }), 5);
    assert.equal(inputPrice(rates, { ...nothing, frame: true, highSpeed: true }), 9);
    assert.equal(inputPrice(rates, { ...nothing, instruction: true }), 2);
    assert.equal(inputPrice(rates, { ...nothing, frame: true, instruction: true, audioSeconds: 2 }), 5 + 2 + 6);
  });

  it('has no price for high speed without a frame', () => {
    assert.equal(inputPrice(rates, { ...nothing, highSpeed: true, instruction: true }), 2);
  });

  it('counts a begun second of audio as a whole one', () => {
    assert.equal(inputPrice(rates, { ...nothing, audioSeconds: 0.1 }), 3);
    assert.equal(inputPrice(rates, { ...nothing, audioSeconds: 1.5 }), 6);
  });

  it('asks at least one DOF, even of a product without rates', () => {
    assert.equal(inputPrice(free, { ...nothing, frame: true }), 1);
    assert.equal(inputPrice(free, nothing), 1);
  });
});

describe('prices: what a turn came to', () => {
  it('adds tokens by the thousand, rounded up once', () => {
    const usage = { ...noUsage, textInputTokens: 100, imageInputTokens: 258, audioInputTokens: 32, outputTokens: 40, reasoningTokens: 20 };
    // (390 * 4 + 60 * 10) / 1000 = 2.16
    assert.equal(actualPrice(rates, { ...nothing, instruction: true }, usage, 1_000), 2 + 3);
  });

  it('charges no more than was held', () => {
    assert.equal(actualPrice(rates, { ...nothing, frame: true }, { ...noUsage, outputTokens: 1_000_000 }, 7), 7);
    assert.equal(actualPrice(rates, { ...nothing, frame: true }, noUsage, 0), 0);
  });

  it('stays whole, between one DOF and the hold, whatever the vendor reports', () => {
    fc.assert(fc.property(anyRates, anyInput, anyUsage, fc.nat(1_000_000), (rate, input, usage, held) => {
      const price = actualPrice(rate, input, usage, held);
      assert.ok(Number.isInteger(price), `${price}`);
      assert.ok(price <= held && price >= Math.min(1, held), `${price} of ${held}`);
    }));
  });

  it('never falls when the model does more', () => {
    fc.assert(fc.property(anyRates, anyInput, anyUsage, tokens, (rate, input, usage, more) => {
      const price = (used: Usage) => actualPrice(rate, input, used, Infinity);
      assert.ok(price({ ...usage, outputTokens: usage.outputTokens + more }) >= price(usage));
    }));
  });
});

describe('prices: the estimate', () => {
  it('is the input, its most tokens and a full reply', () => {
    // 1,000 characters are at most 500 tokens: (500 * 4 + 512 * 10) / 1000 = 7.12
    assert.equal(estimatePrice(rates, { ...nothing, instruction: true, textCharacters: 1_000 }), 2 + 8);
    // An odd character is another token: (501 * 1000 + 512 * 0) / 1000
    assert.equal(estimatePrice({ ...free, inputPer1kTokens: 1_000 }, { ...nothing, textCharacters: 1_001 }), 1 + 501);
    // 16 * 258 + 2 * 32 = 4192 tokens: (4192 * 4 + 512 * 10) / 1000 = 21.888
    assert.equal(estimatePrice(rates, { ...nothing, frame: true, audioSeconds: 1.2 }), 5 + 6 + 22);
  });

  it('covers every turn within the bounds it states', () => {
    const turns = anyInput.chain((input) => fc.tuple(fc.constant(input), usageWithin(input)));
    fc.assert(fc.property(anyRates, turns, (rate, [input, usage]) => {
      assert.ok(estimatePrice(rate, input) >= actualPrice(rate, input, usage, Infinity));
    }));
  });

  it('is never below the price of the input', () => {
    fc.assert(fc.property(anyRates, anyInput, (rate, input) => {
      assert.ok(estimatePrice(rate, input) >= inputPrice(rate, input));
    }));
  });
});
