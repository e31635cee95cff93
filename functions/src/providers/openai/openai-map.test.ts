import assert from 'node:assert/strict';
import fc from 'fast-check';
import { collect, modelRequest, sampleFrame, streamOf } from '../../../test/vendors/collect.ts';
import calls from '../fixtures/openai-calls.json' with { type: 'json' };
import type { ToolDeclaration, ToolRound } from '../types.ts';
import { openaiFailure, readOpenai } from './openai-map.ts';
import { openaiBody } from './openai-request.ts';

const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };
const audio = { mime: 'audio/wav', bytes: Buffer.alloc(44), seconds: 1 };
const tools: ToolDeclaration[] = [{ name: 'lookUpGuide', description: '', parameters: { type: 'object' } }];
const read = (...chunks: unknown[]) => collect(readOpenai(modelRequest({ frame, tools }), streamOf(...chunks)));
const calling = (...pieces: unknown[]) => ({ choices: [{ delta: { tool_calls: pieces } }] });
const end = (finish_reason: string) => ({ choices: [{ delta: {}, finish_reason }] });

describe('openai request', () => {
  it('sends the picture as a data URL', () => {
    assert.match(JSON.stringify(openaiBody(modelRequest({ frame }))), /"data:image\/jpeg;base64,\/9j/);
    assert.equal(openaiBody(modelRequest({ systemPrompt: '' })).messages.length, 1);
  });

  it('refuses sound that the model or the format does not take', () => {
    const badMedia = { code: 'invalid-argument', details: { reason: 'bad_media' } };
    assert.throws(() => openaiBody(modelRequest({ model: 'gpt-6-luna', audio })), badMedia);
    assert.throws(() => openaiBody(modelRequest({ model: 'gpt-audio', audio: { ...audio, mime: 'audio/ogg' } })), badMedia);
    assert.match(JSON.stringify(openaiBody(modelRequest({ model: 'gpt-audio', audio }))), /"format":"wav"/);
  });

  it('asks models that reason for little of it, and for none where functions need that', () => {
    const rounds: ToolRound[] = [{ text: '', calls: [], results: [] }];
    const efforts = (model: string) => [{}, { tools }, { rounds }].map((parts) => openaiBody(modelRequest({ model, ...parts })).reasoning_effort);
    for (const model of ['gpt-6-luna', 'gpt-5.1', 'gpt-5.6-terra', 'gpt-10']) assert.deepEqual(efforts(model), ['low', 'none', 'none'], model);
    for (const model of ['gpt-5', 'gpt-5-mini', 'o3', 'o4-mini']) assert.deepEqual(efforts(model), ['low', 'low', 'low'], model);
    for (const model of ['gpt-4o', 'gpt-4.1', 'gpt-audio', 'gpt-5-chat-latest', 'omni']) assert.deepEqual(efforts(model), [undefined, undefined, undefined], model);
  });
});

describe('openai map', () => {
  it('takes reasoning out of the output and the picture out of the text', async () => {
    const usage = { prompt_tokens: 300, completion_tokens: 50, completion_tokens_details: { reasoning_tokens: 40 } };
    const { done } = await collect(readOpenai(modelRequest({ frame }), streamOf({ choices: [{ delta: { content: 'Hi' }, finish_reason: 'stop' }] }, { choices: [], usage })));
    assert.deepEqual(done[0]?.usage, { textInputTokens: 9, imageInputTokens: 291, audioInputTokens: 0, cachedInputTokens: 0, outputTokens: 10, reasoningTokens: 40 });
  });

  it('reads what is told of the input although some of it is not', async () => {
    const usage = { prompt_tokens: 300, completion_tokens: 50, prompt_tokens_details: { cached_tokens: 70 } };
    assert.equal((await read(end('stop'), { choices: [], usage })).done[0]?.usage.cachedInputTokens, 70);
  });

  it('reads a refusal in words, a cut reply and a broken one', async () => {
    const refused = await read({ choices: [{ delta: { refusal: 'I cannot.' }, finish_reason: null }] }, end('stop'));
    assert.deepEqual([refused.text, refused.done[0]?.outcome], ['I cannot.', 'refused']);
    const whole = await read({ choices: [{ message: { content: null, refusal: 'I cannot.' }, finish_reason: 'stop' }] });
    assert.deepEqual([whole.text, whole.done[0]?.outcome], ['I cannot.', 'refused']);
    assert.equal((await read(end('length'))).done[0]?.outcome, 'length');
    assert.equal((await read({ choices: [{ delta: { content: 'Hi' } }] })).done.length, 0);
    assert.equal((await read(end('something_new'))).done.length, 0);
    assert.equal((await read('no chunk')).done.length, 0);
  });

  it('joins the arguments that come in pieces', async () => {
    assert.deepEqual((await read(...calls)).calls, [
      { id: 'call_fixture1', name: 'lookUpGuide', args: { topic: 'green enemy' } },
      { id: 'call_fixture2', name: 'rememberFact', args: { fact: 'The player jumps over enemies.' } },
    ]);
    const mixed = await read(calling({ index: 1, id: 'b', function: { name: 'second', arguments: '{"n":' } }, { index: 0, id: 'a', function: { name: 'first' } }), calling({ index: 1, function: { arguments: '2}' } }), end('tool_calls'));
    assert.deepEqual(mixed.calls, [{ id: 'b', name: 'second', args: { n: 2 } }, { id: 'a', name: 'first', args: {} }]);
  });

  it('leaves arguments that are no JSON as they are', async () => {
    const { calls: [call] } = await read(calling({ index: 0, id: 'a', function: { name: 'first', arguments: '{"n":' } }), end('tool_calls'));
    assert.deepEqual(call, { id: 'a', name: 'first', args: '{"n":' });
  });

  it('reads eight calls at most, and none of a reply that was cut or refused', async () => {
    const many = calling(...Array.from({ length: 12 }, (_, index) => ({ index, id: `c${index}`, function: { name: 'a', arguments: '{}' } })));
    assert.equal((await read(many, end('tool_calls'))).calls.length, 8);
    for (const [finish, outcome] of [['length', 'length'], ['content_filter', 'refused']] as const) {
      const reply = await read(many, end(finish));
      assert.deepEqual([reply.calls, reply.done[0]?.outcome], [[], outcome]);
    }
    assert.equal((await read(end('tool_calls'))).done.length, 0);
  });

  it('survives any chunk', async () => {
    await fc.assert(fc.asyncProperty(fc.jsonValue(), async (value) => {
      await read(value);
      await read({ choices: [{ delta: value, message: value, finish_reason: value }], usage: value });
      await read(calling(value, { index: value, id: value, function: value }, { index: 0, function: { name: value, arguments: value } }), end('tool_calls'));
    }));
  });
});

describe('a failure of OpenAI', () => {
  const failed = (fields: object) => openaiFailure(Object.assign(new Error('429'), fields));

  it('is a busy vendor, or an account without credit', () => {
    assert.deepEqual([failed({ status: 429, code: 'rate_limit_exceeded' }).outOfCredit, failed({ code: 'rate_limit_exceeded' }).status], [false, 429]);
    for (const fields of [{ code: 'insufficient_quota' }, { code: 'project_spend_limit_exceeded' }, { code: 'something_new', type: 'insufficient_quota' }]) {
      assert.equal(failed({ status: 429, ...fields }).outOfCredit, true, JSON.stringify(fields));
    }
  });

  it('is a model that is not there, or not for us', () => {
    assert.equal(failed({ status: 403, code: 'model_not_found' }).unknownModel, true);
  });
});
