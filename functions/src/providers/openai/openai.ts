import { openaiBody, openaiFailure, readOpenai } from './openai-map.ts';
import type { ModelProvider } from '../types.ts';
import { streamFromVendor } from '../vendor-stream.ts';

/** Settings of the OpenAI provider. */
export interface OpenaiOptions {
  apiKey: string;
  /** Address up to and including the version, `https://api.openai.com/v1` by default. */
  baseUrl?: string | undefined;
  organization?: string | undefined;
  project?: string | undefined;
}

/** OpenAI through its own SDK, Chat Completions with streaming. */
export function openaiProvider({ apiKey, baseUrl, organization, project }: OpenaiOptions): ModelProvider {
  return {
    name: 'openai',
    generate: (request) => streamFromVendor(request, {
      provider: 'openai',
      failureOf: openaiFailure,
      read: (chunks) => readOpenai(request, chunks),
      open: async (signal) => {
        const body = openaiBody(request);
        const { OpenAI } = await import('openai');
        const client = new OpenAI({
          apiKey,
          // Explicit, or the SDK would take these from the environment.
          baseURL: baseUrl ?? 'https://api.openai.com/v1',
          organization: organization ?? null,
          project: project ?? null,
          adminAPIKey: null,
          // A retry would bill a second reply within one turn; whether to try again is the caller's choice.
          maxRetries: 0,
          logLevel: 'off', // its debug log holds prompts
        });
        return client.chat.completions.create(body, { signal });
      },
    }),
  };
}
