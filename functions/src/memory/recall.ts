import type { EmbeddingProvider } from '../providers/types.ts';
import { embeddedWith, plainText } from './memory.ts';
import type { AgentPlace } from './schema.ts';
import { recallMemories } from './store.ts';

/** The model that embeds what is asked: the one that has embedded the memories. */
export interface RecallDeps {
  embeddings: EmbeddingProvider;
  model: string;
  signal: AbortSignal;
}

/** Most characters of a question that are embedded: what it is about is said by then. */
const mostQueryCharacters = 1_000;

/**
 * The texts of the memories that have to do with `query`, nearest first, five at most. None for a blank question.
 * @throws AppError as EmbeddingProvider.embed does.
 */
export async function recall(agent: AgentPlace, query: string, { embeddings, model, signal }: RecallDeps): Promise<string[]> {
  const text = plainText(query, mostQueryCharacters);
  if (text === '') return [];
  const [vector] = await embeddings.embed({ model, texts: [text], purpose: 'query', signal });
  return (await recallMemories(agent, vector!, embeddedWith({ provider: embeddings.name, model }))).map((memory) => memory.text);
}
