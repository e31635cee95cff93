import { z } from 'zod';
import { vendorDown } from '../failures.ts';
import { listedModels } from '../listed-models.ts';
import type { ModelLister } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { openaiClient, type OpenaiOptions } from './openai-client.ts';
import { openaiFailure } from './openai-map.ts';

const modelSchema = z.object({ id: z.string().min(1), shutdown_date: z.iso.date().nullish().catch(null) });

/**
 * OpenAI's models; `shutdown_date` is the day of a model's announced end
 * (https://developers.openai.com/api/reference/resources/models), from its beginning in UTC.
 */
export function openaiModelList(options: OpenaiOptions): ModelLister {
  return {
    name: 'openai',
    list: (signal) => askVendor(signal, {
      provider: 'openai',
      failureOf: openaiFailure,
      ask: async (ended, lineFetch) => {
        const client = await openaiClient(options, lineFetch);
        const page = await client.models.list({ signal: ended });
        // The SDK reads an answer without a list as an empty one.
        if (!Array.isArray(page.data)) throw vendorDown('openai');
        return listedModels('openai', page, (entry) => {
          const { data } = modelSchema.safeParse(entry);
          return data ? { name: data.id, shutdownAt: data.shutdown_date ? Date.parse(data.shutdown_date) : null } : null;
        });
      },
    }),
  };
}
