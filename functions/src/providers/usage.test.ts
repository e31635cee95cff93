import assert from 'node:assert/strict';
import fc from 'fast-check';
import { modelRequest, sampleFrame } from '../../test/vendors/collect.ts';
import type { ModelRequest } from './types.ts';
import { audioTokens, estimateUsage, imageTokens, mostTokens, tokenCount, usageFrom } from './usage.ts';

const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };

describe('usage', () => {
  it('counts pictures by tiles and sound by seconds', () => {
    assert.deepEqual([[384, 384], [385, 100], [640, 360], [769, 768], [1920, 1080], [4000, 4000]].map(([width = 0, height = 0]) => imageTokens({ width, height })), [258, 258, 258, 516, 1548, 4128]);
    assert.equal(audioTokens(1.01), 33);
    assert.equal(estimateUsage(modelRequest({ frame: { mime: 'image/jpeg', bytes: Buffer.alloc(3) } }), '').imageInputTokens, 258);
  });

  it('counts all text that the model reads: earlier turns, functions, calls and results', () => {
    const text = (parts: Partial<ModelRequest>) => estimateUsage(modelRequest({ systemPrompt: '', instruction: '', ...parts }), '').textInputTokens;
    assert.equal(text({ history: [{ instruction: 'a'.repeat(100), reply: 'b'.repeat(60) }] }), 40);
    assert.equal(text({ tools: [{ name: 'n', description: 'd'.repeat(400), parameters: {} }] }), Math.ceil((400 + '[{"name":"n","description":"","parameters":{}}]'.length) / 4));
    const round = { text: 'c'.repeat(40), calls: [{ id: 'i', name: 'n', args: { a: 'd'.repeat(80) }, signature: 'not read' }], results: [{ r: 'e'.repeat(120) }] };
    assert.equal(text({ rounds: [round, round] }), Math.ceil((2 * (40 + 80 + 120 + '["n",{"a":""}][{"r":""}]'.length)) / 4));
  });

  it('believes only whole, bounded counts', () => {
    assert.deepEqual([1.4, 0, 9e15, -1, NaN, Infinity, '5', null].map(tokenCount), [1, 0, mostTokens, undefined, undefined, undefined, undefined, undefined]);
  });

  it('loses and invents no token of the input total', () => {
    const count = fc.option(fc.nat(5000), { nil: undefined });
    fc.assert(fc.property(fc.nat(5000), count, count, count, fc.boolean(), (input, image, audio, cached, withFrame) => {
      const usage = usageFrom({ input, image, audio, cached }, modelRequest(withFrame ? { frame } : {}), 'reply');
      assert.equal(usage.textInputTokens + usage.imageInputTokens + usage.audioInputTokens, input);
      assert.ok(usage.cachedInputTokens <= input);
      assert.ok(Object.values(usage).every((tokens) => Number.isInteger(tokens) && tokens >= 0));
    }));
  });
});
