import type { OpenAI } from 'openai';

/** Settings of the OpenAI provider. */
export interface OpenaiOptions {
  apiKey: string;
  /** Address up to and including the version, `https://api.openai.com/v1` by default. */
  baseUrl?: string | undefined;
  organization?: string | undefined;
  project?: string | undefined;
}

/** Address of OpenAI's API. */
export const openaiAddress = 'https://api.openai.com/v1';

/**
 * A client of OpenAI's SDK, which does not retry.
 *
 * @param lineFetch What it uses in place of `fetch`, see vendor-fetch.ts.
 */
export async function openaiClient({ apiKey, baseUrl, organization, project }: OpenaiOptions, lineFetch: typeof fetch): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    apiKey,
    // Explicit, or the SDK would take these from the environment.
    baseURL: baseUrl ?? openaiAddress,
    organization: organization ?? null,
    project: project ?? null,
    adminAPIKey: null,
    // A retry could bill twice; whether to try again is the caller's choice.
    maxRetries: 0,
    logLevel: 'off', // its debug log holds prompts
    fetch: lineFetch,
  });
}
