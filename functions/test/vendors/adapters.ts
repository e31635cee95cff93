import assert from 'node:assert/strict';
import type { GoogleOptions } from '../../src/providers/google/genai-client.ts';
import { geminiProvider } from '../../src/providers/google/gemini.ts';
import { googleProvider } from '../../src/providers/google/google.ts';
import { openaiProvider } from '../../src/providers/openai/openai.ts';
import type { ModelProvider } from '../../src/providers/types.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { collect, everythingIn, modelRequest, sampleFrame, wav } from './collect.ts';

/** Planted, to be looked for where they must not be. */
export const key = 'planted-key-4f9a1c';
export const prompt = 'planted-prompt-77d2';
export const frame = { mime: 'image/jpeg', bytes: sampleFrame(0) };
export const audio = { mime: 'audio/wav', bytes: wav(new Int16Array(16_000)), seconds: 1 };

/** Credentials as the SDK asks for them, without a token server. */
const credentials = {
  authClient: { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: `Bearer ${key}` })) },
} as unknown as NonNullable<GoogleOptions['credentials']>;

/** An adapter on its real SDK. */
export interface Adapter {
  title: string;
  wire: 'gemini' | 'openai';
  /** Takes pictures and sound. */
  model: string;
  /** Path of a call that streams, and of one that does not. */
  paths: { streamed: string; whole: string };
  /** The provider, with a mock vendor's origin for an address. */
  load: (url: string) => ModelProvider;
}

const geminiPaths = (before: string) => ({ streamed: `${before}gemini-3.5-flash:streamGenerateContent?alt=sse`, whole: `${before}gemini-3.5-flash:generateContent` });

/** All adapters. */
export const adapters: Adapter[] = [
  { title: 'gemini', wire: 'gemini', model: 'gemini-3.5-flash', paths: geminiPaths('/v1beta/models/'), load: (url) => geminiProvider({ apiKey: key, baseUrl: url }) },
  { title: 'google with a key', wire: 'gemini', model: 'gemini-3.5-flash', paths: geminiPaths('/v1beta/models/'), load: (url) => googleProvider({ apiKey: key, baseUrl: url }) },
  { title: 'google on Vertex', wire: 'gemini', model: 'gemini-3.5-flash', paths: geminiPaths('/v1beta1/projects/demo-jiga/locations/europe-west1/publishers/google/models/'), load: (url) => googleProvider({ project: 'demo-jiga', location: 'europe-west1', baseUrl: url, credentials }) },
  { title: 'openai', wire: 'openai', model: 'gpt-audio', paths: { streamed: '/v1/chat/completions', whole: '/v1/chat/completions' }, load: (url) => openaiProvider({ apiKey: key, baseUrl: `${url}/v1` }) },
];

/** The error that a stream of events ends with; it says nothing that was planted, and nothing of its cause. */
export async function failureOf(events: ReturnType<ModelProvider['generate']>): Promise<AppError> {
  const error: unknown = await collect(events).then(() => null, (thrown: unknown) => thrown);
  assert.ok(error instanceof AppError, String(error));
  const shown = everythingIn(error);
  for (const secret of [key, prompt, frame.bytes.toString('base64', 0, 30)]) assert.ok(!shown.includes(secret), shown);
  assert.equal(error.cause, undefined);
  return error;
}

/** A request with everything planted in it. */
export function plantedRequest(model: string, stream: boolean, signal = new AbortController().signal): ReturnType<typeof modelRequest> {
  return modelRequest({ model, instruction: prompt, frame, audio, stream, signal });
}

/** Fails a suite's tests whose SDK logs what was planted, or leaves a promise to fail alone, which ends a process. */
export function watchSdks(): void {
  const { console: shared } = globalThis;
  const original = { ...shared };
  const logged: string[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(reason);
  before(() => process.on('unhandledRejection', onUnhandled));
  after(() => process.off('unhandledRejection', onUnhandled));
  beforeEach(() => {
    logged.length = 0;
    for (const name of ['log', 'warn', 'error', 'debug', 'info'] as const) shared[name] = (...values: unknown[]) => void logged.push(everythingIn(values));
  });
  afterEach(async () => {
    Object.assign(shared, original);
    // Node reports these between two turns of its loop.
    await new Promise(setImmediate);
    assert.deepEqual(unhandled.splice(0), [], 'a promise of the SDK was left to fail alone');
    assert.ok(!logged.join().includes(key) && !logged.join().includes(prompt), 'the SDK logged the key or the prompt');
  });
}
