import { z } from 'zod';
import { listedModels } from '../listed-models.ts';
import type { ModelLister } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { googleFailure } from './gemini-map.ts';
import { genaiClient, type GoogleOptions } from './genai-client.ts';

const modelSchema = z.object({ name: z.string().min(1) });
const pageSize = 1_000;

/**
 * The models of the Gemini API, or those that Google publishes on Vertex AI. Neither list says when a model is shut
 * down (https://ai.google.dev/api/models#Model): that date comes with a model's replies only.
 */
export function googleModelList(name: 'gemini' | 'google', options: GoogleOptions): ModelLister {
  return {
    name,
    list: (signal) => askVendor(signal, {
      provider: name,
      failureOf: googleFailure,
      ask: async (ended, lineFetch) => {
        const client = await genaiClient(options, lineFetch);
        const models = await client.models.list({ config: { pageSize, abortSignal: ended } });
        return listedModels(name, models, (entry) => {
          const { data } = modelSchema.safeParse(entry);
          return data ? { name: data.name.replace(/^.*models\//, ''), shutdownAt: null } : null;
        });
      },
    }),
  };
}
