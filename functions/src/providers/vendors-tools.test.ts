import assert from 'node:assert/strict';
import { adapters, key, plantedRequest, watchSdks } from '../../test/vendors/adapters.ts';
import { collect } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import type { ModelProvider, ModelRequest, ToolDeclaration } from './types.ts';

const tools: ToolDeclaration[] = [
  { name: 'lookUpGuide', description: 'Looks a topic up.', parameters: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: { topic: { type: 'string' } }, required: ['topic'], additionalProperties: false } },
  { name: 'rememberFact', description: 'Remembers a fact.', parameters: { type: 'object', properties: { fact: { type: 'string' } } } },
];
const history = [
  { instruction: 'Who am I?', reply: 'A knight.' },
  { instruction: 'Lost to a refusal.', reply: '' },
  { instruction: '', reply: 'A green enemy comes.' },
];
const results = [{ passages: ['It fears water.'] }, { status: 'remembered' }];

for (const { title, wire, model, load } of adapters) {
  for (const stream of [true, false]) {
    describe(`provider ${title}, functions and history, ${stream ? 'streaming' : 'as a whole'}`, () => {
      let vendor: MockVendor;
      let provider: ModelProvider;
      before(async () => {
        vendor = await startMockVendor('tools');
        provider = load(vendor.url);
      });
      after(() => vendor.close());
      beforeEach(() => void (vendor.requests.length = 0));
      watchSdks();

      const ask = (parts: Partial<ModelRequest>) => collect(provider.generate({ ...plantedRequest(model, stream), ...parts }));
      const sent = () => vendor.requests.at(-1)?.body as Record<string, unknown>;

      it('passes on the calls that the model makes, and gives it their results', async () => {
        const first = await ask({ tools });
        assert.equal(first.text, 'I look it up. ');
        assert.deepEqual(first.calls.map(({ name, args }) => [name, args]), [['lookUpGuide', { topic: 'green enemy' }], ['rememberFact', { fact: 'The player jumps over enemies.' }]]);
        assert.equal(new Set(first.calls.map(({ id }) => id)).size, 2);
        const { outcome, usage } = first.done[0]!;
        assert.equal(outcome, 'complete');
        assert.equal(usage.textInputTokens + usage.imageInputTokens + usage.audioInputTokens, 102);
        assert.deepEqual([usage.outputTokens, usage.reasoningTokens], [33, 20]);

        const second = await ask({ tools, rounds: [{ text: first.text, calls: first.calls, results }] });
        assert.deepEqual([second.text, second.calls], ['The player jumps over a green enemy — ¡olé!', []]);
        assert.deepEqual(vendor.requests.length, 2);
        if (wire === 'gemini') {
          assert.deepEqual((sent()['contents'] as unknown[]).slice(1), [
            { role: 'model', parts: [{ text: 'I look it up. ' }, { functionCall: { id: 'fixture-1', name: 'lookUpGuide', args: { topic: 'green enemy' } }, thoughtSignature: 'Zml4dHVyZS1zaWduYXR1cmU=' }, { functionCall: { name: 'rememberFact', args: { fact: 'The player jumps over enemies.' } } }] },
            { role: 'user', parts: [{ functionResponse: { id: 'fixture-1', name: 'lookUpGuide', response: results[0] } }, { functionResponse: { name: 'rememberFact', response: results[1] } }] },
          ]);
        } else {
          assert.deepEqual((sent()['messages'] as unknown[]).slice(2), [
            { role: 'assistant', content: 'I look it up. ', tool_calls: [{ id: 'call_fixture1', type: 'function', function: { name: 'lookUpGuide', arguments: '{"topic":"green enemy"}' } }, { id: 'call_fixture2', type: 'function', function: { name: 'rememberFact', arguments: '{"fact":"The player jumps over enemies."}' } }] },
            { role: 'tool', tool_call_id: 'call_fixture1', content: JSON.stringify(results[0]) },
            { role: 'tool', tool_call_id: 'call_fixture2', content: JSON.stringify(results[1]) },
          ]);
        }
      });

      it('declares the functions that are offered', async () => {
        await ask({ tools });
        const schema = { type: 'object', properties: { topic: { type: 'string' } }, required: ['topic'], additionalProperties: false };
        if (wire === 'gemini') {
          const [{ functionDeclarations }] = sent()['tools'] as [{ functionDeclarations: unknown[] }];
          assert.deepEqual(functionDeclarations[0], { name: 'lookUpGuide', description: 'Looks a topic up.', parametersJsonSchema: schema });
          assert.equal(sent()['toolConfig'], undefined);
        } else {
          assert.deepEqual((sent()['tools'] as unknown[])[0], { type: 'function', function: { name: 'lookUpGuide', description: 'Looks a topic up.', parameters: tools[0]!.parameters } });
          assert.equal(sent()['tool_choice'], undefined);
        }
      });

      it('lets the model call nothing any more in a request without functions', async () => {
        const calls = [{ id: 'call_x', name: 'lookUpGuide', args: '{"topic": broken' }];
        const { text } = await ask({ rounds: [{ text: '', calls, results: [{ error: 'The arguments are not a JSON object.' }] }] });
        assert.equal(text, 'The player jumps over a green enemy — ¡olé!');
        if (wire === 'gemini') {
          assert.deepEqual(sent()['tools'], [{ functionDeclarations: [{ name: 'lookUpGuide', description: 'No longer available.' }] }]);
          assert.deepEqual(sent()['toolConfig'], { functionCallingConfig: { mode: 'NONE' } });
          const part = { functionCall: { id: 'call_x', name: 'lookUpGuide', args: {} }, thoughtSignature: 'skip_thought_signature_validator' };
          assert.deepEqual((sent()['contents'] as unknown[])[1], { role: 'model', parts: [part] });
        } else {
          assert.deepEqual([sent()['tools'], sent()['tool_choice']], [undefined, undefined]);
          assert.deepEqual((sent()['messages'] as unknown[])[2], { role: 'assistant', content: null, tool_calls: [{ id: 'call_x', type: 'function', function: { name: 'lookUpGuide', arguments: '{"topic": broken' } }] });
        }
      });

      it('takes calls that were not offered for no answer', async () => {
        await assert.rejects(ask({}), { code: 'unavailable', details: { reason: 'provider_unavailable' } });
      });

      it('tells the model of earlier turns, by turns', async () => {
        vendor.mode = 'ok';
        await ask({ history });
        vendor.mode = 'tools';
        const said = wire === 'gemini'
          ? (sent()['contents'] as { role: string; parts: { text?: string }[] }[]).map(({ role, parts }) => [role, parts.at(-1)?.text])
          : (sent()['messages'] as { role: string; content: string | { text?: string }[] }[]).slice(1).map(({ role, content }) => [role, typeof content === 'string' ? content : content.at(-1)?.text]);
        const other = wire === 'gemini' ? 'model' : 'assistant';
        assert.deepEqual(said, [['user', 'Who am I?'], [other, 'A knight.'], ['user', '(no words)'], [other, 'A green enemy comes.'], ['user', 'planted-prompt-77d2']]);
        assert.ok(!JSON.stringify(sent()).includes(key));
      });
    });
  }
}
