import type { GoogleGenAIOptions } from '@google/genai';
import { geminiBounds, geminiParts, googleFailure, readGemini } from './gemini-map.ts';
import type { ModelProvider } from '../types.ts';
import { streamFromVendor } from '../vendor-stream.ts';

/** Settings of the Google provider: a project for Vertex AI, or an API key for the Gemini API. */
export interface GoogleOptions {
  apiKey?: string | undefined;
  project?: string | undefined;
  /** Vertex AI region, `global` by default. */
  location?: string | undefined;
  baseUrl?: string | undefined;
  /** Credentials for Vertex AI; the function's own service account by default. */
  credentials?: GoogleGenAIOptions['googleAuthOptions'];
}

/** Host of Vertex AI for a region (https://cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint). */
export function vertexHost(location: string): string {
  return location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
}

/** Gemini models through `@google/genai`: Vertex AI when a project is set, the Gemini API otherwise. */
export function googleProvider({ apiKey, project, location = 'global', baseUrl, credentials }: GoogleOptions): ModelProvider {
  // Address and version are always explicit, or the SDK would take them from the environment.
  const options: GoogleGenAIOptions = project
    ? { vertexai: true, project, location, apiVersion: 'v1beta1', httpOptions: { baseUrl: baseUrl ?? `https://${vertexHost(location)}` }, ...(credentials && { googleAuthOptions: credentials }) }
    : { vertexai: false, apiKey: apiKey ?? '', apiVersion: 'v1beta', httpOptions: { baseUrl: baseUrl ?? 'https://generativelanguage.googleapis.com' } };
  return {
    name: 'google',
    generate: (request) => streamFromVendor(request, {
      provider: 'google',
      failureOf: googleFailure,
      read: (chunks) => readGemini('google', request, chunks),
      open: async (signal) => {
        const { GoogleGenAI } = await import('@google/genai');
        return new GoogleGenAI(options).models.generateContentStream({
          model: request.model,
          contents: [{ role: 'user', parts: geminiParts(request) }],
          config: {
            ...geminiBounds(request),
            abortSignal: signal,
            ...(request.systemPrompt && { systemInstruction: request.systemPrompt }),
          },
        });
      },
    }),
  };
}
