import assert from 'node:assert/strict';
import fc from 'fast-check';
import { collect, modelRequest, sampleFrame } from '../../test/vendors/collect.ts';
import ok from './fixtures/gemini-ok.json' with { type: 'json' };
import refusals from './fixtures/gemini-refusals.json' with { type: 'json' };
import { geminiBounds, geminiParts, readGemini, readGeminiChunk } from './google/gemini-map.ts';
import { openaiBody, readOpenai } from './openai/openai-map.ts';
import { audioTokens, estimateUsage, imageTokens, mostTokens, tokenCount, usageFrom } from './usage.ts';

const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };
// eslint-disable-next-line @typescript-eslint/require-await -- the maps take async streams, these are in memory
async function* stream(...chunks: unknown[]) {
  yield* chunks;
}
const gemini = (...chunks: unknown[]) => collect(readGemini('gemini', modelRequest({ frame }), stream(...chunks)));
const openai = (...chunks: unknown[]) => collect(readOpenai(modelRequest({ frame }), stream(...chunks)));

describe('gemini map', () => {
  it('puts media before text and leaves out what is missing', () => {
    const parts = geminiParts(modelRequest({ frame }));
    assert.deepEqual(parts.map((part) => Object.keys(part)[0]), ['inlineData', 'text']);
    assert.equal(geminiParts(modelRequest({ frame, instruction: '' })).length, 1);
  });

  it('limits thinking where the model knows levels', () => {
    const thinks = (model: string) => geminiBounds(modelRequest({ model })).thinkingConfig?.thinkingLevel;
    assert.deepEqual(['gemini-3.5-flash', 'models/gemini-4-pro', 'gemini-2.5-flash', 'gemma-3'].map(thinks), ['LOW', 'LOW', undefined, undefined]);
  });

  it('reads the recorded reply by kind of input', async () => {
    const { done } = await gemini(...ok);
    assert.deepEqual(done[0]?.usage, { textInputTokens: 28, imageInputTokens: 258, audioInputTokens: 32, cachedInputTokens: 20, outputTokens: 12, reasoningTokens: 40 });
  });

  it('reads both kinds of refusal', async () => {
    const prompt = await gemini(refusals.prompt);
    assert.deepEqual([prompt.done[0]?.outcome, prompt.done[0]?.usage.outputTokens], ['refused', 0]);
    assert.equal((await gemini(refusals.reply)).done[0]?.outcome, 'refused');
    assert.equal((await gemini({ candidates: [{ finishReason: 'MAX_TOKENS' }] })).done[0]?.outcome, 'length');
  });

  it('never shows thoughts', () => {
    const chunk = readGeminiChunk({ candidates: [{ content: { parts: [{ text: 'secret plan', thought: true }, { text: 'Hello' }] } }] });
    assert.equal(chunk.text, 'Hello');
  });

  it('treats an unknown end as a failure and no end as broken off', async () => {
    await assert.rejects(gemini({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }), { code: 'unavailable' });
    assert.equal((await gemini(ok[0])).done.length, 0);
  });

  it('survives any chunk', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      readGeminiChunk(value);
      readGeminiChunk({ candidates: value, usageMetadata: value, promptFeedback: value });
      readGeminiChunk({ candidates: [{ content: { parts: [value] }, finishReason: value }] });
    }));
  });
});

describe('openai map', () => {
  it('sends the picture as a data URL and asks for the usage', () => {
    const body = openaiBody(modelRequest({ frame }));
    assert.match(JSON.stringify(body), /"data:image\/jpeg;base64,\/9j/);
    assert.deepEqual(body.stream_options, { include_usage: true });
    assert.equal(openaiBody(modelRequest({ systemPrompt: '' })).messages.length, 1);
  });

  it('takes reasoning out of the output and the picture out of the text', async () => {
    const usage = { prompt_tokens: 300, completion_tokens: 50, completion_tokens_details: { reasoning_tokens: 40 } };
    const { done } = await openai({ choices: [{ delta: { content: 'Hi' }, finish_reason: 'stop' }] }, { choices: [], usage });
    assert.deepEqual(done[0]?.usage, { textInputTokens: 9, imageInputTokens: 291, audioInputTokens: 0, cachedInputTokens: 0, outputTokens: 10, reasoningTokens: 40 });
  });

  it('reads a refusal in words, a cut reply and a broken one', async () => {
    const refused = await openai({ choices: [{ delta: { refusal: 'I cannot.' }, finish_reason: null }] }, { choices: [{ delta: {}, finish_reason: 'stop' }] });
    assert.deepEqual([refused.text, refused.done[0]?.outcome], ['I cannot.', 'refused']);
    assert.equal((await openai({ choices: [{ delta: {}, finish_reason: 'length' }] })).done[0]?.outcome, 'length');
    assert.equal((await openai({ choices: [{ delta: { content: 'Hi' } }] })).done.length, 0);
    assert.equal((await openai('no chunk')).done.length, 0);
  });
});

describe('usage', () => {
  it('counts pictures by tiles and sound by seconds', () => {
    assert.deepEqual([[384, 384], [385, 100], [640, 360], [769, 768], [1920, 1080], [4000, 4000]].map(([width = 0, height = 0]) => imageTokens({ width, height })), [258, 258, 258, 516, 1548, 4128]);
    assert.equal(audioTokens(1.01), 33);
    assert.equal(estimateUsage(modelRequest({ frame: { mime: 'image/jpeg', bytes: Buffer.alloc(3) } }), '').imageInputTokens, 258);
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
