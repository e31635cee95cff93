import assert from 'node:assert/strict';
import fc from 'fast-check';
import { noUsage } from '../providers/types.ts';
import { charge, type Ending } from './charge.ts';
import { inputPrice, type PricedInput } from './prices.ts';
import type { DofRates } from './schema.ts';

const rates: DofRates = { frame: 5, highSpeedFrame: 9, instruction: 2, audioSecond: 3, inputPer1kTokens: 1_000, outputPer1kTokens: 1_000 };
const frame: PricedInput = { frame: true, highSpeed: false, instruction: false, audioSeconds: 0, textCharacters: 400 };
const chargeFor = (ending: Ending, held = 10_000) => charge(ending, rates, frame, held);

describe('charge policy', () => {
  it('charges an answer by what it used', () => {
    const usage = { ...noUsage, textInputTokens: 7, outputTokens: 3 };
    assert.deepEqual(chargeFor({ kind: 'answered', usage }), { cost: 5 + 10, estimated: false });
  });

  it('charges a reply that was cut by what was sent and generated, as an estimate', () => {
    const estimated = { ...noUsage, imageInputTokens: 258, outputTokens: 10 };
    assert.deepEqual(chargeFor({ kind: 'cut', estimated }), { cost: 5 + 268, estimated: true });
  });

  it('makes leaving early no cheaper than the input that was sent', () => {
    assert.deepEqual(chargeFor({ kind: 'cut', estimated: noUsage }), { cost: inputPrice(rates, frame), estimated: true });
  });

  it('charges nothing for a failure before any output', () => {
    assert.deepEqual(chargeFor({ kind: 'failed' }), { cost: 0, estimated: false });
  });

  it('never charges more than was held, however the turn ended', () => {
    const endings = fc.oneof<fc.Arbitrary<Ending>[]>(
      fc.nat(1_000_000).map((outputTokens) => ({ kind: 'answered', usage: { ...noUsage, outputTokens } })),
      fc.nat(1_000_000).map((outputTokens) => ({ kind: 'cut', estimated: { ...noUsage, outputTokens } })),
      fc.constant({ kind: 'failed' }),
    );
    fc.assert(fc.property(endings, fc.nat(2_000), (ending, held) => {
      const { cost } = chargeFor(ending, held);
      assert.ok(Number.isInteger(cost) && cost >= 0 && cost <= held);
    }));
  });
});
