import type { GenerateContentRequest } from '@google/generative-ai';
import type { ModelProvider } from '../types.ts';
import { withGlobalFetch } from '../vendor-fetch.ts';
import { streamFromVendor, whole } from '../vendor-stream.ts';
import { googleFailure, readGemini } from './gemini-map.ts';
import { geminiBounds, geminiContents, geminiTools } from './gemini-request.ts';

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
 * it shares with Vertex is in gemini-request.ts and gemini-map.ts. It never tries again by itself.
 */
export function geminiProvider({ apiKey, baseUrl, apiVersion }: GeminiOptions): ModelProvider {
  return {
    name: 'gemini',
    generate: (request) => streamFromVendor(request, {
      provider: 'gemini',
      failureOf: googleFailure,
      read: (chunks) => readGemini('gemini', request, chunks),
      open: async (signal, lineFetch) => {
        const { GoogleGenerativeAI } = await import('@google/generative-ai');
        const model = new GoogleGenerativeAI(apiKey).getGenerativeModel({ model: request.model }, { ...(baseUrl && { baseUrl }), ...(apiVersion && { apiVersion }) });
        const content = {
          contents: geminiContents('gemini', request),
          generationConfig: geminiBounds(request),
          ...geminiTools(request),
          ...(request.systemPrompt && { systemInstruction: request.systemPrompt }),
        } as unknown as GenerateContentRequest; // its types are older than the API, and it sends what it is given
        return withGlobalFetch(lineFetch, async () => {
          if (request.stream === false) return whole((await model.generateContent(content, { signal })).response);
          const { stream, response } = await model.generateContentStream(content, { signal });
          // The SDK reads the stream twice; nobody awaits this second reading, so its failure would end the process.
          response.catch(() => {});
          return stream;
        });
      },
    }),
  };
}
