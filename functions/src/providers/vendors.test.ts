import assert from 'node:assert/strict';
import { collect, everythingIn, modelRequest, sampleFrame, wav } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor, type VendorMode } from '../../test/vendors/server.ts';
import type { AppError as AppErrorType } from '../runtime/errors.ts';
import type { GoogleOptions } from './google/google.ts';
import { loadProvider } from './registry.ts';
import { mostTokens } from './usage.ts';
import type { ModelProvider } from './types.ts';

const key = 'planted-key-4f9a1c';
const prompt = 'planted-prompt-77d2';
const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };
const audio = { mime: 'audio/wav', bytes: wav(new Int16Array(16_000)), seconds: 1 };

/** Credentials as the SDK asks for them, without a token server. */
const credentials = {
  authClient: { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: `Bearer ${key}` })) },
} as unknown as NonNullable<GoogleOptions['credentials']>;

/** The real SDKs, each pointed at the mock vendor, and a model that takes sound. */
const vendors: { title: string; model: string; path: string; load: (url: string) => Promise<ModelProvider> }[] = [
  { title: 'gemini', model: 'gemini-3.5-flash', path: '/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse', load: (url) => loadProvider('gemini', { apiKey: `${key}\n`, baseUrl: url, allowLoopback: true }) },
  { title: 'google with a key', model: 'gemini-3.5-flash', path: '/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse', load: (url) => loadProvider('google', { apiKey: key, baseUrl: url, allowLoopback: true }) },
  { title: 'google on Vertex', model: 'gemini-3.5-flash', path: '/v1beta1/projects/demo-jiga/locations/europe-west1/publishers/google/models/gemini-3.5-flash:streamGenerateContent?alt=sse', load: async (url) => (await import('./google/google.ts')).googleProvider({ project: 'demo-jiga', location: 'europe-west1', baseUrl: url, credentials }) },
  { title: 'openai', model: 'gpt-audio', path: '/v1/chat/completions', load: (url) => loadProvider('openai', { apiKey: key, baseUrl: `${url}/v1`, allowLoopback: true }) },
];

// Imported as the registry imports the providers, here and for Vertex above: under tsx, mocha's own `require` would give this file another copy of
// the class, and `instanceof` would fail.
let AppError: typeof AppErrorType;
before(async () => {
  ({ AppError } = await import('../runtime/errors.ts'));
});

for (const { title, model, path, load } of vendors) {
  describe(`provider ${title}, real SDK`, () => {
    let vendor: MockVendor;
    let provider: ModelProvider;
    const logged: string[] = [];
    const { console: shared } = globalThis;
    const original = { ...shared };
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);

    before(async () => {
      process.on('unhandledRejection', onUnhandled);
      vendor = await startMockVendor();
      provider = await load(vendor.url);
    });
    after(async () => {
      process.off('unhandledRejection', onUnhandled);
      await vendor.close();
    });
    beforeEach(() => {
      vendor.requests.length = 0;
      logged.length = 0;
      for (const name of ['log', 'warn', 'error', 'debug', 'info'] as const) shared[name] = (...values: unknown[]) => void logged.push(everythingIn(values));
    });
    afterEach(async () => {
      Object.assign(shared, original);
      // Node reports these between two turns of its loop, and ends a process that has no listener.
      await new Promise(setImmediate);
      assert.deepEqual(unhandled, [], 'a promise of the SDK was left to fail alone');
      assert.ok(!logged.join().includes(key) && !logged.join().includes(prompt), 'the SDK logged the key or the prompt');
    });

    const ask = (mode: VendorMode, signal?: AbortSignal) => {
      vendor.mode = mode;
      return provider.generate(modelRequest({ model, instruction: prompt, frame, audio, ...(signal && { signal }) }));
    };
    /** The AppError a call ends with, checked to be clean. */
    const failure = async (mode: VendorMode, signal?: AbortSignal): Promise<AppErrorType> => {
      const error: unknown = await collect(ask(mode, signal)).then(() => null, (thrown: unknown) => thrown);
      assert.ok(error instanceof AppError, String(error));
      const shown = everythingIn(error);
      for (const secret of [key, prompt, frame.bytes.toString('base64', 0, 30)]) assert.ok(!shown.includes(secret), shown);
      assert.equal(error.cause, undefined);
      return error;
    };

    it('streams text, outcome and usage', async () => {
      const { text, pieces, done } = await collect(ask('ok'));
      assert.equal(text, 'The player jumps over a green enemy — ¡olé!');
      assert.equal(pieces, 2);
      assert.equal(done.length, 1);
      assert.equal(done[0]?.outcome, 'complete');
      const usage = done[0]?.usage;
      assert.ok(usage);
      const { textInputTokens, imageInputTokens, audioInputTokens, outputTokens, reasoningTokens } = usage;
      assert.equal(textInputTokens + imageInputTokens + audioInputTokens, 318);
      assert.deepEqual({ audioInputTokens, outputTokens, reasoningTokens }, { audioInputTokens: 32, outputTokens: 12, reasoningTokens: 40 });
    });

    it('sends the system prompt, the media, the bound and the key where they belong', async () => {
      await collect(ask('ok'));
      assert.equal(vendor.requests.length, 1);
      const [sent] = vendor.requests;
      assert.equal(sent?.path, path);
      assert.ok(sent.headers['x-goog-api-key'] === key || sent.headers.authorization === `Bearer ${key}`);
      const body = JSON.stringify(sent.body);
      for (const part of ['You watch a game.', prompt, frame.bytes.toString('base64'), audio.bytes.toString('base64')]) assert.ok(body.includes(part));
      assert.match(body, /"(maxOutputTokens|max_completion_tokens)":256/);
      if (model.startsWith('gemini')) assert.match(body, /"generationConfig":\{.*"thinkingLevel":"LOW"/);
      assert.ok(!body.includes(key) && !sent.path.includes(key));
    });

    it('reports a refusal as an outcome', async () => {
      const { text, done } = await collect(ask('refusal'));
      assert.equal(text, '');
      assert.equal(done[0]?.outcome, 'refused');
      assert.ok(done[0]?.usage.imageInputTokens !== undefined);
    });

    it('does not believe impossible counts', async () => {
      const { text, done } = await collect(ask('wrong-counts'));
      const usage = done[0]?.usage;
      assert.ok(usage);
      assert.ok(Object.values(usage).every((tokens) => Number.isInteger(tokens) && tokens >= 0 && tokens <= mostTokens));
      assert.deepEqual(usage, { textInputTokens: Math.ceil(('You watch a game.' + prompt).length / 4), imageInputTokens: 258, audioInputTokens: 32, cachedInputTokens: 0, outputTokens: mostTokens, reasoningTokens: 0 });
      assert.ok(text);
    });

    const expected: [VendorMode, string, string][] = [
      ['bad-key', 'failed-precondition', 'provider_configuration'],
      ['unauthorized', 'failed-precondition', 'provider_configuration'],
      ['forbidden', 'failed-precondition', 'provider_configuration'],
      ['missing-model', 'failed-precondition', 'provider_configuration'],
      ['bad-media', 'invalid-argument', 'bad_media'],
      ['busy', 'unavailable', 'provider_busy'],
      ['error-inside', 'unavailable', 'provider_busy'],
      ['broken', 'unavailable', 'provider_unavailable'],
      ['half', 'unavailable', 'provider_unavailable'],
      ['cut', 'unavailable', 'provider_unavailable'],
      ['garbage', 'unavailable', 'provider_unavailable'],
    ];
    for (const [mode, code, reason] of expected) {
      it(`answers ${mode} with ${code} (${reason}), once and clean`, async () => {
        const error = await failure(mode);
        assert.deepEqual([error.code, error.details?.reason], [code, reason]);
        assert.equal(vendor.requests.length, 1);
        if (mode === 'missing-model') assert.ok(error.message.includes(model) && error.message.includes(`config/server.modelRouting.${provider.name}.vision`));
        if (mode === 'garbage') assert.equal(await vendor.requests[0]?.closed, false);
      });
    }

    it('answers a vendor that cannot be reached', async () => {
      const gone = await startMockVendor();
      const unreachable = await load(gone.url);
      await gone.close();
      await assert.rejects(collect(unreachable.generate(modelRequest({ model }))), { code: 'unavailable', details: { reason: 'provider_unavailable' } });
    });

    it('closes the connection of a vendor that never answers', async () => {
      const deadline = new AbortController();
      const arrived = vendor.next();
      const failed = failure('slow', deadline.signal);
      const { closed } = await arrived;
      deadline.abort();
      assert.deepEqual((await failed).details, { reason: 'provider_timeout' });
      assert.equal(await closed, false);
    });

    it('closes the connection mid-stream and throws the reason it was given', async () => {
      const leaving = new AbortController();
      const reason = new AppError('aborted', 'The session was closed.', { reason: 'session_closed' });
      let text = '';
      await assert.rejects(async () => {
        for await (const event of ask('stalled', leaving.signal)) {
          if (event.type === 'text') text += event.text;
          leaving.abort(reason);
        }
      }, reason);
      assert.equal(text, 'The player ');
      assert.equal(await vendor.requests[0]?.closed, false);
    });

    it('closes the connection when the reader leaves', async () => {
      for await (const event of ask('stalled')) {
        assert.equal(event.type, 'text');
        break;
      }
      assert.equal(await vendor.requests[0]?.closed, false);
    });

    it('sends nothing when it is too late already', async () => {
      assert.equal((await failure('ok', AbortSignal.abort())).code, 'deadline-exceeded');
      assert.equal(vendor.requests.length, 0);
    });
  });
}

describe('provider openai, sound', () => {
  it('refuses sound that the model or the format does not take, without a call', async () => {
    const vendor = await startMockVendor();
    const provider = await loadProvider('openai', { apiKey: key, baseUrl: `${vendor.url}/v1`, allowLoopback: true });
    const badMedia = { code: 'invalid-argument', details: { reason: 'bad_media' } };
    await assert.rejects(collect(provider.generate(modelRequest({ model: 'gpt-6-luna', audio }))), badMedia);
    await assert.rejects(collect(provider.generate(modelRequest({ model: 'gpt-audio', audio: { ...audio, mime: 'audio/ogg' } }))), badMedia);
    assert.equal(vendor.requests.length, 0);
    await vendor.close();
  });
});
