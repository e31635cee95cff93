import type { TextToSpeechClient } from '@google-cloud/text-to-speech';
import type { GoogleAuthOptions } from 'google-gax';
import type { VendorFailure } from '../failures.ts';
import { mostSoundBytes, speechOf } from '../speech.ts';
import type { SpeechProvider } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { googleFailure } from './gemini-map.ts';

/** Settings of Cloud Text-to-Speech: an API key, or the function's own service account. */
export interface CloudSpeechOptions {
  apiKey?: string | undefined;
  /** Origin; the global endpoint by default. `http` is spoken without TLS. */
  baseUrl?: string | undefined;
  /** Credentials in place of the function's own service account. */
  authClient?: GoogleAuthOptions['authClient'];
}

const universe = 'googleapis.com';
/** What an answer has beside its sound. */
const mostBytesBeside = 64 * 1024;

/**
 * Cloud Text-to-Speech through its SDK, over gRPC: the SDK's REST mode follows redirects with the key and reads an
 * answer of any length. Each text has its own connection, which ends with it: none outlives the pauses of a function.
 */
export function cloudSpeech(options: CloudSpeechOptions): SpeechProvider {
  return {
    name: 'google',
    speak: ({ text, voice, signal }) => askVendor(signal, {
      provider: 'google',
      model: voice,
      setting: 'the voiceId of the product, or config/server.modelRouting.google.tts,',
      failureOf: grpcFailure,
      ask: async (ended) => {
        const client = await connect(options);
        try {
          return speechOf('google', text, await synthesize(client, { text, voice, headers: await credentialsOf(client, options), ended }));
        } finally {
          await client.close().catch(() => {});
        }
      },
    }),
  };
}

async function connect({ baseUrl = `https://texttospeech.${universe}`, authClient }: CloudSpeechOptions): Promise<TextToSpeechClient> {
  const [{ TextToSpeechClient }, gax] = await Promise.all([import('@google-cloud/text-to-speech'), import('google-gax')]);
  const { hostname, port, protocol } = new URL(baseUrl);
  const { createInsecure, createSsl } = gax.grpc.credentials;
  return new TextToSpeechClient({
    // Explicit, or the SDK would take it from the environment.
    apiEndpoint: hostname,
    universeDomain: universe,
    clientOptions: { universeDomain: universe },
    port: port ? Number(port) : TextToSpeechClient.port,
    scopes: TextToSpeechClient.scopes,
    sslCreds: protocol === 'http:' ? createInsecure() : createSsl(),
    ...(authClient && { authClient }),
    'grpc.max_receive_message_length': mostSoundBytes + mostBytesBeside,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
  }, gax);
}

/** Headers that carry the key or a token. */
async function credentialsOf(client: TextToSpeechClient, { apiKey }: CloudSpeechOptions): Promise<Record<string, string>> {
  return apiKey ? { 'x-goog-api-key': apiKey } : { ...await client.auth.getRequestHeaders() };
}

async function synthesize(client: TextToSpeechClient, { text, voice, headers, ended }: { text: string; voice: string; headers: Record<string, string>; ended: AbortSignal }): Promise<Buffer> {
  ended.throwIfAborted();
  const call = client.synthesizeSpeech({
    input: { text },
    // The name begins with its language: en-US-Wavenet-C (https://cloud.google.com/text-to-speech/docs/voices).
    voice: { name: voice, languageCode: voice.split('-').slice(0, 2).join('-') },
    audioConfig: { audioEncoding: 'MP3' },
  }, { retry: null, otherArgs: { headers } });
  ended.addEventListener('abort', () => (call as Promise<unknown> & { cancel(): void }).cancel(), { once: true });
  const [{ audioContent }] = await call;
  return typeof audioContent === 'string' ? Buffer.from(audioContent, 'base64') : Buffer.from(audioContent ?? []);
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const httpStatusOfCode: Record<number, number> = { 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 14: 503, 16: 401 };

/** What an error of a Google gRPC SDK says, with the HTTP status that stands for its code. */
export function grpcFailure(error: unknown): VendorFailure {
  const failure = googleFailure(error);
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return failure;
  // Our own bound has the vendor's code for a quota.
  if (/larger than max/i.test(error.message)) return {};
  return { ...failure, status: httpStatusOfCode[error.code] };
}
