import { z } from 'zod';
import { embeddingDimension, type EmbeddingProvider } from '../types.ts';
import { unitVectors } from '../unit-vectors.ts';
import { askVendor } from '../vendor-call.ts';
import { openaiClient, type OpenaiOptions } from './openai-client.ts';
import { openaiFailure } from './openai-map.ts';

const answerSchema = z.object({ data: z.array(z.object({ index: z.int(), embedding: z.unknown() })) });

/**
 * OpenAI's embedding models, from text-embedding-3 on, which can be asked for fewer dimensions
 * (https://developers.openai.com/api/docs/guides/embeddings). They make no difference between stored and sought texts.
 */
export function openaiEmbeddings(options: OpenaiOptions): EmbeddingProvider {
  return {
    name: 'openai',
    embed: ({ model, texts, signal }) => askVendor(signal, {
      provider: 'openai',
      model,
      setting: 'config/server.modelRouting.openai.embedding',
      failureOf: openaiFailure,
      ask: async (ended, lineFetch) => {
        if (texts.length === 0) return [];
        const client = await openaiClient(options, lineFetch);
        const answer = await client.embeddings.create({ model, input: texts, dimensions: embeddingDimension, encoding_format: 'float' }, { signal: ended });
        const { data } = answerSchema.safeParse(answer);
        const inOrder = data?.data.toSorted((one, other) => one.index - other.index);
        return unitVectors('openai', inOrder?.map(({ embedding }) => embedding), texts.length);
      },
    }),
  };
}
