import assert from 'node:assert/strict';
import { startMockCloudSpeech } from '../../test/vendors/cloud-speech.ts';
import { everythingIn } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor, type VendorMode } from '../../test/vendors/server.ts';
import { AppError } from '../runtime/errors.ts';
import type { GoogleOptions } from './google/genai-client.ts';
import { loadEmbeddings, loadModelList, loadSpeech, loadVoiceTokens, type ProviderSettings } from './registry.ts';
import type { ProviderName } from './types.ts';

const key = 'planted-key-4f9a1c';
const prompt = 'planted-prompt-77d2';

/** Credentials as the SDK asks for them, without a token server. */
const credentials = {
  authClient: { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: `Bearer ${key}` })) },
} as unknown as NonNullable<GoogleOptions['credentials']>;

type Ask = (signal: AbortSignal) => Promise<unknown>;
interface Ability {
  title: string;
  provider: ProviderName;
  /** Model that an error about a missing one names, with where it is set. */
  named?: [model: string, setting: string];
  load: (url: string) => Promise<Ask>;
  start?: typeof startMockCloudSpeech;
  /** Modes that are no failure here: a stream cut in the middle that is whole all the same. */
  fine?: VendorMode[];
}

const at = (baseUrl: string): ProviderSettings => ({ apiKey: key, baseUrl, allowLoopback: true });
const speech = async (name: ProviderName, model: string, voice: string, settings: ProviderSettings): Promise<Ask> => {
  const voices = await loadSpeech(name, settings);
  return (signal) => voices.speak({ text: prompt, voice, model, signal });
};
const embedding = async (name: ProviderName, model: string, settings: ProviderSettings): Promise<Ask> => {
  const embeddings = await loadEmbeddings(name, settings);
  return (signal) => embeddings.embed({ model, texts: [prompt], purpose: 'query', signal });
};
const token = async (name: ProviderName, model: string, settings: ProviderSettings): Promise<Ask> => {
  const tokens = await loadVoiceTokens(name, settings);
  return (signal) => tokens.mint({ model, voice: 'Kore', systemPrompt: prompt, expiresAt: Date.now() + 600_000, maxOutputTokens: 500, signal });
};
const models = async (name: ProviderName, settings: ProviderSettings): Promise<Ask> => {
  const list = await loadModelList(name, settings);
  return (signal) => list.list(signal);
};
const onVertex = (url: string): GoogleOptions => ({ project: 'demo-jiga', location: 'europe-west1', baseUrl: url, credentials });

/** Every ability at every vendor, through the real SDKs. */
const abilities: Ability[] = [
  { title: 'speech of gemini', provider: 'gemini', named: ['gemini-3.8-flash-tts', 'config/server.modelRouting.gemini.tts'], load: (url) => speech('gemini', 'gemini-3.8-flash-tts', 'Kore', at(url)) },
  { title: 'speech of google', provider: 'google', named: ['en-US-Wavenet-C', 'the voiceId of the product'], start: startMockCloudSpeech, load: (url) => speech('google', '', 'en-US-Wavenet-C', { apiKey: key, speechBaseUrl: url, allowLoopback: true }) },
  { title: 'speech of openai', provider: 'openai', named: ['tts-1', 'config/server.modelRouting.openai.tts'], load: (url) => speech('openai', 'tts-1', 'alloy', at(`${url}/v1`)), fine: ['half'] },
  { title: 'embeddings of gemini', provider: 'gemini', named: ['gemini-embedding-2', 'config/server.modelRouting.gemini.embedding'], load: (url) => embedding('gemini', 'gemini-embedding-2', at(url)) },
  { title: 'embeddings of google with a key', provider: 'google', named: ['gemini-embedding-2', 'config/server.modelRouting.google.embedding'], load: (url) => embedding('google', 'gemini-embedding-2', at(url)) },
  {
    title: 'embeddings of google on Vertex', provider: 'google', named: ['gemini-embedding-2', 'config/server.modelRouting.google.embedding'],
    load: async (url) => {
      const embeddings = (await import('./google/embeddings.ts')).googleEmbeddings('google', onVertex(url));
      return (signal) => embeddings.embed({ model: 'gemini-embedding-2', texts: [prompt], purpose: 'document', signal });
    },
  },
  { title: 'embeddings of openai', provider: 'openai', named: ['text-embedding-3-small', 'config/server.modelRouting.openai.embedding'], load: (url) => embedding('openai', 'text-embedding-3-small', at(`${url}/v1`)) },
  { title: 'voice tokens of gemini', provider: 'gemini', named: ['gemini-3.8-live', 'config/server.modelRouting.gemini.live'], load: (url) => token('gemini', 'gemini-3.8-live', at(url)) },
  { title: 'voice tokens of google with a key', provider: 'google', named: ['gemini-3.8-live', 'config/server.modelRouting.google.live'], load: (url) => token('google', 'gemini-3.8-live', at(url)) },
  { title: 'voice tokens of openai', provider: 'openai', named: ['gpt-realtime-2.1-mini', 'config/server.modelRouting.openai.live'], load: (url) => token('openai', 'gpt-realtime-2.1-mini', at(`${url}/v1`)) },
  { title: 'models of gemini', provider: 'gemini', load: (url) => models('gemini', at(url)) },
  { title: 'models of google with a key', provider: 'google', load: (url) => models('google', at(url)) },
  {
    title: 'models of google on Vertex', provider: 'google',
    load: async (url) => {
      const list = (await import('./google/model-list.ts')).googleModelList('google', onVertex(url));
      return (signal) => list.list(signal);
    },
  },
  { title: 'models of openai', provider: 'openai', load: (url) => models('openai', at(`${url}/v1`)) },
];

const expected: [VendorMode, string, string][] = [
  ['bad-key', 'failed-precondition', 'provider_configuration'],
  ['unauthorized', 'failed-precondition', 'provider_configuration'],
  ['forbidden', 'failed-precondition', 'provider_configuration'],
  ['missing-model', 'failed-precondition', 'provider_configuration'],
  ['bad-media', 'failed-precondition', 'provider_configuration'],
  ['busy', 'unavailable', 'provider_busy'],
  ['broken', 'unavailable', 'provider_unavailable'],
  ['empty', 'unavailable', 'provider_unavailable'],
  ['half', 'unavailable', 'provider_unavailable'],
  ['cut', 'unavailable', 'provider_unavailable'],
  ['garbage', 'unavailable', 'provider_unavailable'],
  ['oversized', 'unavailable', 'provider_unavailable'],
  ['redirect', 'unavailable', 'provider_unavailable'],
];

for (const { title, provider, named, load, start = startMockVendor, fine = [] } of abilities) {
  describe(`${title}, real SDK`, () => {
    let vendor: MockVendor;
    let elsewhere: MockVendor;
    let ask: Ask;
    const logged: string[] = [];
    const { console: shared } = globalThis;
    const original = { ...shared };
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);

    before(async () => {
      process.on('unhandledRejection', onUnhandled);
      vendor = await start();
      elsewhere = await start();
      vendor.redirectTo = elsewhere.url;
      ask = await load(vendor.url);
    });
    after(async () => {
      process.off('unhandledRejection', onUnhandled);
      await Promise.all([vendor.close(), elsewhere.close()]);
    });
    beforeEach(() => {
      vendor.requests.length = 0;
      logged.length = 0;
      for (const name of ['log', 'warn', 'error', 'debug', 'info'] as const) shared[name] = (...values: unknown[]) => void logged.push(everythingIn(values));
    });
    afterEach(async () => {
      Object.assign(shared, original);
      await new Promise(setImmediate);
      assert.deepEqual(unhandled, []);
      assert.equal(elsewhere.requests.length, 0);
      assert.ok(!/planted/.test(logged.join('')), 'something planted was logged');
    });

    /** The error of a call that must fail, with nothing planted in it. */
    async function failure(mode: VendorMode, signal = new AbortController().signal): Promise<AppError> {
      vendor.mode = mode;
      const error: unknown = await ask(signal).then(() => assert.fail(`${mode} did not fail`), (reason: unknown) => reason);
      assert.ok(error instanceof AppError, everythingIn(error));
      assert.ok(!everythingIn(error).includes('planted'), 'something planted is in the error');
      assert.equal(error.cause, undefined);
      return error;
    }

    it('answers, under its own name, with the key in a header', async () => {
      vendor.mode = 'ok';
      assert.ok(await ask(new AbortController().signal));
      assert.ok(vendor.requests.length >= 1);
      for (const { headers, path } of vendor.requests) {
        assert.ok([headers['x-goog-api-key'], headers.authorization].some((value) => value === key || value === `Bearer ${key}`));
        assert.ok(!path.includes('planted'));
      }
    });

    for (const [mode, code, reason] of expected.filter(([mode]) => !fine.includes(mode))) {
      it(`answers ${mode} with ${code} (${reason}), once and clean`, async () => {
        const error = await failure(mode);
        assert.deepEqual([error.code, error.details?.reason], [code, reason]);
        assert.equal(vendor.requests.length, 1);
        assert.ok(error.message.includes(provider));
        if (mode === 'missing-model') assert.ok((named ?? ['Check its address']).every((part) => error.message.includes(part)), error.message);
        if (mode === 'busy' && start === startMockVendor) assert.equal(error.details?.['retryAfterMs'], 17_000);
        if (mode === 'oversized') assert.equal(await vendor.requests[0]?.closed, false);
      });
    }

    for (const mode of ['slow', 'stalled'] as const) {
      it(`closes the connection of a vendor that is ${mode}, with the reason it was given`, async () => {
        const leaving = new AbortController();
        const reason = new AppError('aborted', 'The session was closed.', { reason: 'session_closed' });
        const arrived = vendor.next();
        const failed = failure(mode, leaving.signal);
        const { closed } = await arrived;
        leaving.abort(reason);
        assert.equal(await failed, reason);
        assert.equal(await closed, false);
      });
    }

    it('is too late after the deadline, and sends nothing when it was before', async () => {
      const deadline = new AbortController();
      const arrived = vendor.next();
      const failed = failure('slow', deadline.signal);
      await arrived;
      deadline.abort();
      assert.deepEqual((await failed).details, { reason: 'provider_timeout' });
      vendor.requests.length = 0;
      assert.equal((await failure('ok', AbortSignal.abort())).code, 'deadline-exceeded');
      assert.equal(vendor.requests.length, 0);
    });

    it('answers a vendor that cannot be reached', async () => {
      const gone = await start();
      const askGone = await load(gone.url);
      await gone.close();
      await assert.rejects(askGone(new AbortController().signal), { code: 'unavailable', details: { reason: 'provider_unavailable' } });
    });
  });
}
