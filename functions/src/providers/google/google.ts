import type { ModelProvider } from '../types.ts';
import { streamFromVendor, whole } from '../vendor-stream.ts';
import { googleFailure, readGemini } from './gemini-map.ts';
import { geminiBounds, geminiContents, geminiTools } from './gemini-request.ts';
import { genaiClient, type GoogleOptions } from './genai-client.ts';

/** Gemini models through `@google/genai`: Vertex AI when a project is set, the Gemini API otherwise. */
export function googleProvider(options: GoogleOptions): ModelProvider {
  return {
    name: 'google',
    generate: (request) => streamFromVendor(request, {
      provider: 'google',
      failureOf: googleFailure,
      read: (chunks) => readGemini('google', request, chunks),
      open: async (signal, lineFetch) => {
        const { models } = await genaiClient(options, lineFetch);
        const asked = {
          model: request.model,
          contents: geminiContents('google', request),
          config: {
            ...geminiBounds(request),
            ...geminiTools(request),
            abortSignal: signal,
            // On by default: the SDK would ask again and again, and every time would be billed.
            automaticContinuation: false,
            ...(request.systemPrompt && { systemInstruction: request.systemPrompt }),
          },
        };
        return request.stream === false ? whole(await models.generateContent(asked)) : models.generateContentStream(asked);
      },
    }),
  };
}
