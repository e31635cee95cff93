import assert from 'node:assert/strict';
import fc from 'fast-check';
import { collect, modelRequest, sampleFrame, streamOf } from '../../../test/vendors/collect.ts';
import calls from '../fixtures/gemini-calls.json' with { type: 'json' };
import ok from '../fixtures/gemini-ok.json' with { type: 'json' };
import refusals from '../fixtures/gemini-refusals.json' with { type: 'json' };
import type { ToolDeclaration } from '../types.ts';
import { googleFailure, readGemini, readGeminiChunk } from './gemini-map.ts';
import { geminiBounds, geminiContents, geminiParts } from './gemini-request.ts';

const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };
const tools: ToolDeclaration[] = [{ name: 'lookUpGuide', description: '', parameters: { type: 'object' } }];
const read = (...chunks: unknown[]) => collect(readGemini('gemini', modelRequest({ frame, tools, model: 'gemini-3.5-flash' }), streamOf(...chunks)));
const calling = (functionCall: unknown, more: object = {}) => ({ candidates: [{ content: { parts: [{ functionCall, ...more }] } }] });
const stop = { candidates: [{ finishReason: 'STOP' }] };

describe('gemini request', () => {
  it('puts media before text and leaves out what is missing', () => {
    assert.deepEqual(geminiParts(modelRequest({ frame })).map((part) => Object.keys(part)[0]), ['inlineData', 'text']);
    assert.equal(geminiParts(modelRequest({ frame, instruction: '' })).length, 1);
  });

  it('limits thinking where the model knows levels', () => {
    const thinks = (model: string) => geminiBounds(modelRequest({ model })).thinkingConfig?.thinkingLevel;
    assert.deepEqual(['gemini-3.5-flash', 'models/gemini-4-pro', 'gemini-2.5-flash', 'gemma-3'].map(thinks), ['LOW', 'LOW', undefined, undefined]);
  });

  it('gives a signature back to the model that made it only', async () => {
    const round = { text: '', calls: (await read(calls[1], stop)).calls, results: [{}] };
    const signature = (provider: 'gemini' | 'google', model: string) => {
      const part = geminiContents(provider, modelRequest({ model, rounds: [round] }))[1]?.parts[0];
      return part && 'thoughtSignature' in part ? part.thoughtSignature : undefined;
    };
    assert.equal(signature('gemini', 'gemini-3.5-flash'), 'Zml4dHVyZS1zaWduYXR1cmU=');
    assert.equal(signature('google', 'gemini-3.5-flash'), 'skip_thought_signature_validator');
    assert.equal(signature('gemini', 'gemini-4-pro'), 'skip_thought_signature_validator');
    assert.equal(signature('gemini', 'gemini-2.5-flash'), undefined);
  });
});

describe('gemini map', () => {
  it('reads the recorded reply by kind of input', async () => {
    const { done } = await read(...ok);
    assert.deepEqual(done[0]?.usage, { textInputTokens: 28, imageInputTokens: 258, audioInputTokens: 32, cachedInputTokens: 20, outputTokens: 12, reasoningTokens: 40 });
  });

  it('counts what tools gave the model to read as input', async () => {
    const counted = (usageMetadata: object) => read({ ...stop, usageMetadata }).then(({ done }) => done[0]!.usage.textInputTokens + done[0]!.usage.imageInputTokens);
    assert.equal(await counted({ promptTokenCount: 90, toolUsePromptTokenCount: 12 }), 102);
    assert.equal(await counted({ toolUsePromptTokenCount: 12 }), 12);
  });

  it('reads both kinds of refusal, with what they used', async () => {
    for (const refusal of [refusals.prompt, refusals.reply]) {
      const [done] = (await read(refusal)).done;
      assert.deepEqual([done?.outcome, done?.unreported, done?.usage.textInputTokens, done?.usage.outputTokens], ['refused', undefined, 30, refusal === refusals.reply ? 3 : 0]);
    }
    assert.equal((await read({ candidates: [{ finishReason: 'MAX_TOKENS' }] })).done[0]?.outcome, 'length');
  });

  it('never shows thoughts', () => {
    const chunk = readGeminiChunk({ candidates: [{ content: { parts: [{ text: 'secret plan', thought: true }, { text: 'Hello' }] } }] });
    assert.equal(chunk.text, 'Hello');
  });

  it('makes calls fit to be given back', async () => {
    const reply = await read(calling({ name: `x y${'z'.repeat(80)}` }, { thoughtSignature: 'sig' }), calling({ id: 'i'.repeat(80), args: ['no object'] }), stop);
    assert.deepEqual(reply.calls, [
      { id: 'unnamed-0', name: `x_y${'z'.repeat(61)}`, args: {}, signature: 'gemini/gemini-3.5-flash sig' },
      { id: 'i'.repeat(40), name: 'unnamed', args: ['no object'] },
    ]);
  });

  it('reads eight calls at most, and none of a reply that was cut or refused', async () => {
    assert.equal((await read(...Array.from({ length: 9 }, () => calling({ name: 'a' })), stop)).calls.length, 8);
    for (const [finishReason, outcome] of [['MAX_TOKENS', 'length'], ['SAFETY', 'refused']]) {
      const reply = await read(calling({ name: 'a' }), { candidates: [{ finishReason }] });
      assert.deepEqual([reply.calls, reply.done[0]?.outcome], [[], outcome]);
    }
  });

  it('treats an unknown end as a failure and no end as broken off', async () => {
    for (const finishReason of ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'SOMETHING_NEW']) {
      await assert.rejects(read({ candidates: [{ finishReason }] }), { code: 'unavailable', details: { reason: 'provider_unavailable' } });
    }
    assert.equal((await read(ok[0])).done.length, 0);
  });

  it('survives any chunk', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      readGeminiChunk(value);
      readGeminiChunk({ candidates: value, usageMetadata: value, promptFeedback: value });
      readGeminiChunk({ candidates: [{ content: { parts: [value] }, finishReason: value }] });
      readGeminiChunk({ candidates: [{ content: { parts: [{ functionCall: value, thoughtSignature: value }, { functionCall: { id: value, name: value, args: value } }] } }] });
    }));
  });
});

describe('a failure of Google', () => {
  const failed = (status: number, message: string) => googleFailure(Object.assign(new Error(message), { status }));

  it('is a model that is not there', () => {
    assert.equal(failed(400, 'models/x is not found for API version v1beta').unknownModel, true);
    assert.equal(failed(400, 'The picture is not found.').unknownModel, false);
  });

  it('says when to try again', () => {
    assert.equal(failed(429, '{"details":[{"retryDelay":"17s"}]}').retryAfterMs, 17_000);
    assert.equal(failed(429, '{"retryDelay": "0.250s"}').retryAfterMs, 250);
    assert.ok(!('retryAfterMs' in failed(429, 'no "retryDelay"')));
  });
});
