import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rates } from '../../test/money.ts';
import { noUsage } from '../providers/types.ts';
import { charge, chargePolicy, type Ending } from './charge.ts';
import { actualPrice, inputPrice, type PricedInput, type PricedUsage } from './prices.ts';

const prices = rates({ frame: { standard: 5, skipped: 2 }, per1kTokens: { text: 1_000, output: 1_000 }, per1kSpokenCharacters: 1_000 });
const frame: PricedInput = { frame: 'standard', instruction: false, audioSeconds: 0, textCharacters: 400, modelCalls: 1, spoken: true };
const usage: PricedUsage = { ...noUsage, textInputTokens: 7, outputTokens: 3, spokenCharacters: 2 };
const chargeFor = (ending: Ending, held = 10_000, used = usage) => charge(ending, prices, frame, used, held);

/** What every ending costs with the usage above. The type makes this list complete; the first test makes the table so. */
const table: Record<Ending, { cost: number; estimated: boolean }> = {
  answered: { cost: 5 + 12, estimated: false },
  unreported: { cost: 5, estimated: true },
  partlyReported: { cost: 5 + 12, estimated: true },
  late: { cost: 5, estimated: true },
  cut: { cost: 5 + 12, estimated: true },
  callerGone: { cost: 5 + 12, estimated: true },
  exhausted: { cost: 5 + 12, estimated: true },
  skipped: { cost: 2, estimated: false },
  failed: { cost: 0, estimated: false },
  abandoned: { cost: 5, estimated: true },
};
const endings = Object.keys(table) as Ending[];
const anyEnding = fc.constantFrom(...endings);
const tokens = fc.nat(10_000_000);
const anyUsage: fc.Arbitrary<PricedUsage> = fc.record({
  textInputTokens: tokens, imageInputTokens: tokens, audioInputTokens: tokens, cachedInputTokens: tokens, outputTokens: tokens, reasoningTokens: tokens, spokenCharacters: tokens,
});

describe('charge policy', () => {
  it('never charges more for a frame that is skipped than for one that is seen', () => {
    const dear = rates({ frame: { standard: 5, skipped: 9 } });
    assert.equal(charge('skipped', dear, frame, usage, 100).cost, 5);
    assert.equal(charge('skipped', rates({ frame: { standard: 5 } }), frame, usage, 100).cost, 0);
  });

  it('knows these endings and no others', () => assert.deepEqual(Object.keys(chargePolicy).sort(), endings.toSorted()));

  for (const [ending, expected] of Object.entries(table) as [Ending, { cost: number; estimated: boolean }][]) {
    it(`charges ${chargePolicy[ending].usage} for a turn that ended ${ending}`, () => assert.deepEqual(chargeFor(ending), expected));
  }

  it('charges nothing only for a failure before any output', () => {
    for (const ending of endings) assert.equal(chargeFor(ending, 10_000, { ...noUsage, spokenCharacters: 0 }).cost === 0, ending === 'failed');
  });

  it('calls a price an estimate unless the model said what it used, or nothing is charged', () => {
    for (const ending of endings) assert.equal(chargePolicy[ending].estimated, !(['reported', 'skipped frame', 'nothing'] as string[]).includes(chargePolicy[ending].usage), ending);
  });

  it('makes leaving early no cheaper than the input that was sent', () => {
    for (const ending of ['cut', 'callerGone', 'exhausted'] as const) assert.equal(chargeFor(ending, 10_000, { ...noUsage, spokenCharacters: 0 }).cost, inputPrice(prices, frame));
  });

  it('never charges more than was held, nor more than a full answer, however the turn ended', () => {
    fc.assert(fc.property(anyEnding, anyUsage, fc.nat(2_000), (ending, used, held) => {
      const { cost } = chargeFor(ending, held, used);
      assert.ok(Number.isInteger(cost) && cost >= 0 && cost <= held && cost <= actualPrice(prices, frame, used, held));
    }));
  });
});
