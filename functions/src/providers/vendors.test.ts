import assert from 'node:assert/strict';
import { adapters, audio, failureOf, frame, key, plantedRequest, prompt, watchSdks } from '../../test/vendors/adapters.ts';
import { collect } from '../../test/vendors/collect.ts';
import { startMockVendor, vendorModes, type MockVendor, type VendorMode } from '../../test/vendors/server.ts';
import type { ErrorCode, ErrorReason } from '../runtime/errors.ts';
import type { ModelOutcome, ModelProvider, Usage } from './types.ts';
import { mostTokens } from './usage.ts';

/** Estimated tokens of the planted request's text, where a vendor does not say. */
const textTokens = Math.ceil(`You watch a game.${prompt}`.length / 4);
const usage = (text: number, image: number, sound: number, cached: number, output: number, reasoning: number): Usage => ({
  textInputTokens: text, imageInputTokens: image, audioInputTokens: sound, cachedInputTokens: cached, outputTokens: output, reasoningTokens: reasoning,
});
const whole = 'The player jumps over a green enemy — ¡olé!';

/** What each mode that answers comes to. OpenAI says how much was sound, not how much was picture. */
const answers: { mode: VendorMode; text: string; outcome: ModelOutcome; used: Record<'gemini' | 'openai', Usage> }[] = [
  { mode: 'ok', text: whole, outcome: 'complete', used: { gemini: usage(28, 258, 32, 20, 12, 40), openai: usage(textTokens, 318 - 32 - textTokens, 32, 4, 12, 40) } },
  // OpenAI's 30 are fewer than the sound alone is thought to be.
  { mode: 'refusal', text: '', outcome: 'refused', used: { gemini: usage(30, 0, 0, 0, 0, 0), openai: usage(0, 0, 30, 0, 3, 0) } },
  { mode: 'wrong-counts', text: whole, outcome: 'complete', used: { gemini: usage(textTokens, 258, 32, 0, mostTokens, 0), openai: usage(textTokens, 258, 32, 0, mostTokens, 0) } },
];

/** What each mode that fails comes to; `left`: the connection is still open then, and we close it. */
const failures: { mode: VendorMode; code: ErrorCode; reason: ErrorReason; retryAfterMs?: number; left?: 'streamed' | 'always' }[] = [
  { mode: 'bad-key', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'unauthorized', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'forbidden', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'missing-model', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'bad-media', code: 'invalid-argument', reason: 'bad_media' },
  { mode: 'busy', code: 'unavailable', reason: 'provider_busy', retryAfterMs: 17_000 },
  { mode: 'broken', code: 'unavailable', reason: 'provider_unavailable' },
  { mode: 'empty', code: 'unavailable', reason: 'provider_unavailable' },
  { mode: 'half', code: 'unavailable', reason: 'provider_unavailable' },
  { mode: 'cut', code: 'unavailable', reason: 'provider_unavailable' },
  { mode: 'garbage', code: 'unavailable', reason: 'provider_unavailable', left: 'streamed' },
  { mode: 'oversized', code: 'unavailable', reason: 'provider_unavailable', left: 'always' },
  { mode: 'redirect', code: 'unavailable', reason: 'provider_unavailable' },
];

describe('all vendor adapters', () => {
  it('are tested in every mode of the mock vendor', () => {
    const elsewhere: VendorMode[] = ['tools', 'slow', 'stalled', 'error-inside'];
    assert.deepEqual([...answers.map(({ mode }) => mode), ...failures.map(({ mode }) => mode), ...elsewhere].sort(), [...vendorModes].sort());
  });
});

for (const { title, wire, model, paths, load } of adapters) {
  for (const stream of [true, false]) {
    describe(`provider ${title}, ${stream ? 'streaming' : 'as a whole'}`, () => {
      let vendor: MockVendor;
      let elsewhere: MockVendor;
      let provider: ModelProvider;
      before(async () => {
        [vendor, elsewhere] = await Promise.all([startMockVendor(), startMockVendor()]);
        vendor.redirectTo = elsewhere.url;
        provider = load(vendor.url);
      });
      after(() => Promise.all([vendor.close(), elsewhere.close()]));
      beforeEach(() => void (vendor.requests.length = 0));
      watchSdks();

      const ask = (mode: VendorMode) => {
        vendor.mode = mode;
        return provider.generate(plantedRequest(model, stream));
      };

      for (const { mode, text, outcome, used } of answers) {
        it(`answers ${mode} as ${outcome}`, async () => {
          const reply = await collect(ask(mode));
          assert.deepEqual(reply, { text, pieces: stream && text ? 2 : Math.sign(text.length), calls: [], done: [{ type: 'done', outcome, usage: used[wire] }] });
          assert.equal(vendor.requests.length, 1);
        });
      }

      for (const { mode, code, reason, retryAfterMs, left } of failures) {
        it(`answers ${mode} with ${code} (${reason}), once and clean`, async () => {
          const error = await failureOf(ask(mode));
          assert.deepEqual([error.code, error.details], [code, { reason, ...(retryAfterMs && { retryAfterMs }) }]);
          assert.deepEqual([vendor.requests.length, elsewhere.requests.length], [1, 0]);
          if (mode === 'missing-model') assert.ok(error.message.includes(`"${model}"`) && error.message.includes(`config/server.modelRouting.${provider.name}.vision`), error.message);
          if (left === 'always' || (left && stream)) assert.equal(await vendor.requests[0]?.closed, false);
        });
      }

      it('answers an error inside a reply', async () => {
        const { code, details } = await failureOf(ask('error-inside'));
        assert.equal(code, 'unavailable');
        // Read as a whole, some SDKs drop what they do not know, and with it why.
        if (stream) assert.equal(details?.reason, 'provider_busy');
        assert.equal(vendor.requests.length, 1);
      });

      it('passes on no more text than the bound of the reply allows', async () => {
        let text = '';
        await assert.rejects(async () => {
          for await (const event of ask('oversized')) text += event.type === 'text' ? event.text : '';
        });
        assert.ok(text.length <= 64 * 256 && text.length > 0 === stream, `${text.length} characters`);
      });

      it('sends the system prompt, the media, the bound and the key where they belong', async () => {
        await collect(ask('ok'));
        const [sent] = vendor.requests;
        assert.equal(sent?.path, stream ? paths.streamed : paths.whole);
        assert.ok(sent.headers['x-goog-api-key'] === key || sent.headers.authorization === `Bearer ${key}`);
        const body = JSON.stringify(sent.body);
        for (const part of ['You watch a game.', prompt, frame.bytes.toString('base64'), audio.bytes.toString('base64')]) assert.ok(body.includes(part));
        assert.match(body, /"(maxOutputTokens|max_completion_tokens)":256/);
        if (wire === 'gemini') assert.match(body, /"generationConfig":\{.*"thinkingLevel":"LOW"/);
        assert.ok(!body.includes(key) && !sent.path.includes(key));
      });

      it('answers a vendor that cannot be reached', async () => {
        const gone = await startMockVendor();
        const unreachable = load(gone.url);
        await gone.close();
        assert.deepEqual((await failureOf(unreachable.generate(plantedRequest(model, stream)))).details, { reason: 'provider_unavailable' });
      });
    });
  }
}
