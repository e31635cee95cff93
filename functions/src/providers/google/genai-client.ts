import type { GoogleGenAI, GoogleGenAIOptions } from '@google/genai';

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

/** Address of the Gemini API. */
export const geminiAddress = 'https://generativelanguage.googleapis.com';

/**
 * A client of `@google/genai`, which does not retry: Vertex AI when a project is set, the Gemini API otherwise.
 *
 * @param lineFetch What it uses in place of `fetch`, see vendor-fetch.ts.
 * @param version API version of the Gemini API; `v1beta` unless an ability is in another only.
 */
export async function genaiClient({ apiKey, project, location = 'global', baseUrl, credentials }: GoogleOptions, lineFetch: typeof fetch, version = 'v1beta'): Promise<GoogleGenAI> {
  const { GoogleGenAI } = await import('@google/genai');
  // Address and version are always explicit, or the SDK would take them from the environment.
  return new GoogleGenAI(project
    ? { vertexai: true, project, location, apiVersion: 'v1beta1', httpOptions: { baseUrl: baseUrl ?? `https://${vertexHost(location)}`, fetch: lineFetch }, ...(credentials && { googleAuthOptions: credentials }) }
    : { vertexai: false, apiKey: apiKey ?? '', apiVersion: version, httpOptions: { baseUrl: baseUrl ?? geminiAddress, fetch: lineFetch } });
}

/** Host of Vertex AI for a region (https://cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint). */
function vertexHost(location: string): string {
  return location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
}
