import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rates } from '../../test/money.ts';
import { noUsage } from '../providers/types.ts';
import { audioTokens, mostImageTokens, mostTokens, tokenCount } from '../providers/usage.ts';
import { actualPrice, estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, usagePrice, type PricedInput, type PricedUsage } from './prices.ts';
import type { DofRates } from './schema.ts';

const nothing: PricedInput = { frame: null, instruction: false, audioSeconds: 0, textCharacters: 0, modelCalls: 1, spoken: false };
const nothingUsed: PricedUsage = { ...noUsage, spokenCharacters: 0 };
const sent = rates({ frame: { standard: 5, burst: 9, continuous: 14 }, instruction: 2, audioSecond: 3 });

const rate = fc.nat(1_000);
const anyRates: fc.Arbitrary<DofRates> = fc.record({
  frame: fc.record({ standard: rate, burst: rate, continuous: rate }), instruction: rate, audioSecond: rate,
  per1kTokens: fc.record({ text: rate, image: rate, audio: rate, cached: rate, output: rate, reasoning: rate }), per1kSpokenCharacters: rate,
});
const anyInput: fc.Arbitrary<PricedInput> = fc.record({
  frame: fc.constantFrom(null, 'standard', 'burst', 'continuous'), instruction: fc.boolean(), audioSeconds: fc.double({ min: 0, max: 600, noNaN: true }), modelCalls: fc.integer({ min: 1, max: 3 }), textCharacters: fc.nat(50_000), spoken: fc.boolean(),
});
const tokens = fc.nat(mostTokens);
const anyUsage: fc.Arbitrary<PricedUsage> = fc.record({
  textInputTokens: tokens, imageInputTokens: tokens, audioInputTokens: tokens, cachedInputTokens: tokens, outputTokens: tokens, reasoningTokens: tokens, spokenCharacters: tokens,
});

/** Usage within the bounds that an estimate up to `most` generated tokens is made of; reasoning is generated too. */
function usageWithin(input: PricedInput, most: number): fc.Arbitrary<PricedUsage> {
  return fc.nat(most).chain((output) => fc.record({
    textInputTokens: fc.nat(Math.ceil(input.textCharacters / 2)),
    imageInputTokens: fc.nat(input.frame ? mostImageTokens * input.modelCalls : 0),
    audioInputTokens: fc.nat(audioTokens(Math.ceil(input.audioSeconds)) * input.modelCalls),
    cachedInputTokens: tokens,
    outputTokens: fc.constant(output),
    reasoningTokens: fc.nat(most - output),
    spokenCharacters: fc.nat(input.spoken ? output * 8 : 0),
  }));
}

describe('prices: what was sent', () => {
  it('prices a frame by the way it is seen', () => {
    for (const [frame, price] of [['standard', 5], ['burst', 9], ['continuous', 14]] as const) assert.equal(inputPrice(sent, { ...nothing, frame }), price);
  });

  it('prices each part by its own rate', () => {
    assert.equal(inputPrice(sent, { ...nothing, instruction: true }), 2);
    assert.equal(inputPrice(sent, { ...nothing, audioSeconds: 4 }), 12);
    assert.equal(inputPrice(sent, { ...nothing, frame: 'burst', instruction: true, audioSeconds: 2 }), 9 + 2 + 6);
  });

  it('counts a begun second of audio as a whole one', () => {
    assert.equal(inputPrice(sent, { ...nothing, audioSeconds: 0.1 }), 3);
    assert.equal(inputPrice(sent, { ...nothing, audioSeconds: 1.5 }), 6);
  });

  it('asks at least one DOF, even of a product without rates', () => {
    assert.equal(inputPrice(rates(), { ...nothing, frame: 'standard' }), 1);
    assert.equal(inputPrice(rates(), nothing), 1);
  });
});

describe('prices: what a model used', () => {
  it('prices each kind of token by its own rate, by the thousand', () => {
    const kinds = [['text', 'textInputTokens'], ['image', 'imageInputTokens'], ['audio', 'audioInputTokens'], ['output', 'outputTokens'], ['reasoning', 'reasoningTokens']] as const;
    for (const [kind, count] of kinds) {
      assert.equal(usagePrice(rates({ per1kTokens: { [kind]: 4 } }), { ...nothingUsed, textInputTokens: 500, imageInputTokens: 500, audioInputTokens: 500, outputTokens: 500, reasoningTokens: 500, [count]: 2_000 }), 8, kind);
    }
  });

  it('prices the characters that are spoken', () => {
    assert.equal(usagePrice(rates({ per1kSpokenCharacters: 10 }), { ...nothingUsed, spokenCharacters: 250 }), 3);
    assert.equal(usagePrice(rates({ per1kSpokenCharacters: 10 }), { ...nothingUsed, outputTokens: 250 }), 0);
  });

  it('adds up first and rounds up once', () => {
    const usage = { ...nothingUsed, textInputTokens: 100, imageInputTokens: 258, audioInputTokens: 32, outputTokens: 40, reasoningTokens: 20 };
    // (390 * 4 + 60 * 10) / 1000 = 2.16
    assert.equal(usagePrice(rates({ per1kTokens: { text: 4, image: 4, audio: 4, output: 10, reasoning: 10 } }), usage), 3);
    assert.equal(usagePrice(rates({ per1kTokens: { text: 10 } }), { ...nothingUsed, textInputTokens: 300 }), 3);
  });

  it('takes cached tokens out of each kind in proportion, and prices them as cached', () => {
    const half = { ...nothingUsed, textInputTokens: 1_000, imageInputTokens: 3_000, cachedInputTokens: 2_000 };
    assert.equal(usagePrice(rates({ per1kTokens: { text: 100 } }), half), 50);
    assert.equal(usagePrice(rates({ per1kTokens: { image: 100 } }), half), 150);
    assert.equal(usagePrice(rates({ per1kTokens: { cached: 100 } }), half), 200);
    assert.equal(usagePrice(rates({ per1kTokens: { text: 100, image: 100, cached: 100 } }), half), 400);
  });

  it('believes no more to be cached than was read', () => {
    const usage = { ...nothingUsed, textInputTokens: 1_000, cachedInputTokens: 9_000 };
    assert.equal(usagePrice(rates({ per1kTokens: { text: 100, cached: 10 } }), usage), 10);
    assert.equal(usagePrice(rates({ per1kTokens: { cached: 10 } }), { ...nothingUsed, cachedInputTokens: 9_000 }), 0);
  });

  it('makes no step up out of a rounding error', () => {
    // (183 * 120 * 25 / 183) / 1000 is 3, but 3.0000000000000004 in binary.
    assert.equal(usagePrice(rates({ per1kTokens: { text: 120, image: 120 } }), { ...nothingUsed, textInputTokens: 170, imageInputTokens: 13, cachedInputTokens: 158 }), 3);
  });

  it('is exact, as if it were reckoned in whole numbers', () => {
    const count = fc.integer({ min: 1, max: 5_000 });
    fc.assert(fc.property(count, count, count, rate, rate, rate, (textTokens, imageTokens, cachedTokens, text, image, cached) => {
      const read = textTokens + imageTokens;
      const fromCache = Math.min(read, cachedTokens);
      const thousandths = (textTokens * text + imageTokens * image) * (read - fromCache) + fromCache * cached * read;
      const exact = (BigInt(thousandths) + BigInt(read * 1_000 - 1)) / BigInt(read * 1_000);
      const price = usagePrice(rates({ per1kTokens: { text, image, cached } }), { ...nothingUsed, textInputTokens: textTokens, imageInputTokens: imageTokens, cachedInputTokens: cachedTokens });
      // Less than a millionth of a DOF may be forgiven.
      assert.ok(price === Number(exact) || (price === Number(exact) - 1 && thousandths % (read * 1_000) < read * 0.001), `${price}, exactly ${exact}`);
    }));
  });

  it('costs the same in whatever kind of token, when the kinds cost the same', () => {
    fc.assert(fc.property(anyUsage, rate, (usage, each) => {
      const read = usage.textInputTokens + usage.imageInputTokens + usage.audioInputTokens;
      const flat = rates({ per1kTokens: { text: each, image: each, audio: each, cached: each } });
      assert.ok(Math.abs(usagePrice(flat, usage) - read * each / 1_000) < 1.001);
    }));
  });
});

describe('prices: what a turn came to', () => {
  it('adds the price of the input to that of its usage', () => {
    assert.equal(actualPrice({ ...sent, per1kTokens: { ...sent.per1kTokens, output: 1_000 } }, { ...nothing, frame: 'burst' }, { ...nothingUsed, outputTokens: 7 }, 1_000), 9 + 7);
  });

  it('charges no more than was held', () => {
    assert.equal(actualPrice(rates({ per1kTokens: { output: 1_000 } }), nothing, { ...nothingUsed, outputTokens: 1_000_000 }, 7), 7);
    assert.equal(actualPrice(sent, { ...nothing, frame: 'standard' }, nothingUsed, 0), 0);
  });

  it('stays whole, between one DOF and the hold, whatever the vendor reports', () => {
    const count = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -1, 1e308, null, '12', undefined)).map((value: unknown) => tokenCount(value) ?? 0);
    const reported = fc.record({ textInputTokens: count, imageInputTokens: count, audioInputTokens: count, cachedInputTokens: count, outputTokens: count, reasoningTokens: count, spokenCharacters: fc.nat(100_000) });
    fc.assert(fc.property(anyRates, anyInput, fc.oneof(anyUsage, reported), fc.nat(1_000_000), (each, input, usage, held) => {
      const price = actualPrice(each, input, usage, held);
      assert.ok(Number.isInteger(price) && price <= held && price >= Math.min(1, held), `${price} of ${held}`);
    }));
  });

  it('never falls when the model generates more', () => {
    fc.assert(fc.property(anyRates, anyInput, anyUsage, tokens, (each, input, usage, more) => {
      const price = (used: PricedUsage) => actualPrice(each, input, used, Infinity);
      assert.ok(price({ ...usage, outputTokens: usage.outputTokens + more }) >= price(usage));
      assert.ok(price({ ...usage, spokenCharacters: usage.spokenCharacters + more }) >= price(usage));
    }));
  });
});

describe('prices: the estimate', () => {
  const priced = rates({ frame: { standard: 5 }, instruction: 2, audioSecond: 3, per1kTokens: { text: 4, image: 4, audio: 4, output: 10 } });

  it('is the input, its most tokens and a full reply', () => {
    // 1,000 characters are at most 500 tokens: (500 * 4 + 512 * 10) / 1000 = 7.12
    assert.equal(estimatePrice(priced, { ...nothing, instruction: true, textCharacters: 1_000 }), 2 + 8);
    // An odd character is another token.
    assert.equal(estimatePrice(rates({ per1kTokens: { text: 1_000 } }), { ...nothing, textCharacters: 1_001 }), 1 + 501);
    // (16 * 258 + 2 * 32) * 4 + 512 * 10 = 21,888 thousandths
    assert.equal(estimatePrice(priced, { ...nothing, frame: 'standard', audioSeconds: 1.2 }), 5 + 6 + 22);
  });

  it('expects the dearer of reply and reasoning, and of fresh and cached input', () => {
    const most = (per1kTokens: Partial<DofRates['per1kTokens']>) => estimatePrice(rates({ per1kTokens }), { ...nothing, textCharacters: 2_000 });
    assert.deepEqual([most({ output: 1_000 }), most({ reasoning: 1_000 }), most({ output: 1_000, reasoning: 1_000 })], [513, 513, 513]);
    assert.deepEqual([most({ text: 1_000 }), most({ cached: 1_000 }), most({ text: 1_000, cached: 500 })], [1_001, 1_001, 1_001]);
  });

  it('counts what may be spoken only where replies are spoken', () => {
    const aloud = rates({ per1kSpokenCharacters: 1_000 });
    assert.deepEqual([estimatePrice(aloud, nothing), estimatePrice(aloud, { ...nothing, spoken: true })], [1, 1 + maxOutputTokens * 8]);
  });

  it('covers every turn within the bounds it states, and so does the least for the beginning of a reply', () => {
    const turns = anyInput.chain((input) => fc.tuple(fc.constant(input), usageWithin(input, maxOutputTokens), usageWithin(input, leastOutputTokens)));
    fc.assert(fc.property(anyRates, turns, (each, [input, usage, beginning]) => {
      assert.ok(estimatePrice(each, input) >= actualPrice(each, input, usage, Infinity));
      assert.ok(leastPrice(each, input) >= actualPrice(each, input, beginning, Infinity));
    }), { numRuns: 500 });
  });

  it('lies above the least with which a turn may begin, and that above the price of the input', () => {
    fc.assert(fc.property(anyRates, anyInput, (each, input) => {
      assert.ok(estimatePrice(each, input) >= leastPrice(each, input) && leastPrice(each, input) >= inputPrice(each, input));
      assert.ok(Number.isInteger(estimatePrice(each, input)) && Number.isInteger(leastPrice(each, input)));
    }));
  });
});
