import { geminiBounds, geminiParts, googleFailure, readGemini } from './gemini-map.ts';
import type { ModelProvider } from '../types.ts';
import { streamFromVendor } from '../vendor-stream.ts';

/** Settings of the Gemini API provider. */
export interface GeminiOptions {
  apiKey: string;
  /** Origin without a path or trailing slash; the SDK's own by default. See registry.ts for what is allowed. */
  baseUrl?: string | undefined;
  /** API version in the path; the SDK's `v1beta` by default. */
  apiVersion?: string | undefined;
}

/**
 * The Gemini API through `@google/generative-ai`. That SDK is archived upstream: it stays in this file, everything
 * it shares with Vertex is in gemini-map.ts.
 */
export function geminiProvider({ apiKey, baseUrl, apiVersion }: GeminiOptions): ModelProvider {
  return {
    name: 'gemini',
    generate: (request) => streamFromVendor(request, {
      provider: 'gemini',
      failureOf: googleFailure,
      read: (chunks) => readGemini('gemini', request, chunks),
      open: async (signal) => {
        const { GoogleGenerativeAI } = await import('@google/generative-ai');
        const model = new GoogleGenerativeAI(apiKey).getGenerativeModel(
          {
            model: request.model,
            generationConfig: geminiBounds(request),
            ...(request.systemPrompt && { systemInstruction: request.systemPrompt }),
          },
          { ...(baseUrl && { baseUrl }), ...(apiVersion && { apiVersion }) },
        );
        const { stream, response } = await model.generateContentStream(geminiParts(request), { signal });
        // The SDK reads the stream twice; nobody awaits this second reading, so its failure would end the process.
        response.catch(() => {});
        return stream;
      },
    }),
  };
}
