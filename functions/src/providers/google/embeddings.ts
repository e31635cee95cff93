import { embeddingDimension, type EmbeddingProvider, type EmbeddingRequest } from '../types.ts';
import { unitVectors } from '../unit-vectors.ts';
import { askVendor } from '../vendor-call.ts';
import { googleFailure } from './gemini-map.ts';
import { genaiClient, type GoogleOptions } from './genai-client.ts';

/**
 * Gemini's embedding models through `@google/genai`, on the Gemini API or on Vertex AI.
 *
 * @param name The provider that asks: both `gemini` and `google` embed with these models.
 */
export function googleEmbeddings(name: 'gemini' | 'google', options: GoogleOptions): EmbeddingProvider {
  return {
    name,
    embed: (request) => askVendor(request.signal, {
      provider: name,
      model: request.model,
      setting: `config/server.modelRouting.${name}.embedding`,
      failureOf: googleFailure,
      ask: async (ended, lineFetch) => {
        const client = await genaiClient(options, lineFetch);
        const { texts, config } = embeddingInput(request);
        const embed = async (batch: string[]) => {
          const { embeddings } = await client.models.embedContent({
            model: request.model,
            // One content for each text: as plain strings they would be read as one, and get one vector.
            contents: batch.map((text) => ({ role: 'user', parts: [{ text }] })),
            config: { ...config, abortSignal: ended },
          });
          return embeddings?.map(({ values }) => values) ?? [];
        };
        // Vertex AI takes one text in a call.
        const batches = options.project ? texts.map((text) => [text]) : texts.length > 0 ? [texts] : [];
        return unitVectors(name, (await Promise.all(batches.map(embed))).flat(), texts.length);
      },
    }),
  };
}

/**
 * Texts and settings as the model wants them. Up to gemini-embedding-001 the purpose is a field; gemini-embedding-2
 * takes it as words before the text, and no such field (https://ai.google.dev/gemini-api/docs/embeddings#task-types).
 */
export function embeddingInput({ model, texts, purpose }: Pick<EmbeddingRequest, 'model' | 'texts' | 'purpose'>): { texts: string[]; config: { outputDimensionality: number; taskType?: string } } {
  const config = { outputDimensionality: embeddingDimension };
  if (/(^|\/)(gemini-embedding-001|text-)/.test(model)) {
    return { texts, config: { ...config, taskType: purpose === 'query' ? 'RETRIEVAL_QUERY' : 'RETRIEVAL_DOCUMENT' } };
  }
  const before = purpose === 'query' ? 'task: search result | query: ' : 'title: none | text: ';
  return { texts: texts.map((text) => before + text), config };
}
