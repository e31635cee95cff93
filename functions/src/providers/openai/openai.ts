import type { ModelProvider } from '../types.ts';
import { streamFromVendor, whole } from '../vendor-stream.ts';
import { openaiClient, type OpenaiOptions } from './openai-client.ts';
import { openaiFailure, readOpenai } from './openai-map.ts';
import { openaiBody } from './openai-request.ts';

/** OpenAI through its own SDK, Chat Completions. */
export function openaiProvider(options: OpenaiOptions): ModelProvider {
  return {
    name: 'openai',
    generate: (request) => streamFromVendor(request, {
      provider: 'openai',
      failureOf: openaiFailure,
      read: (chunks) => readOpenai(request, chunks),
      open: async (signal, lineFetch) => {
        const body = openaiBody(request);
        const { chat } = await openaiClient(options, lineFetch);
        if (request.stream === false) return whole(await chat.completions.create({ ...body, stream: false }, { signal }));
        return chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, { signal });
      },
    }),
  };
}
