import type { EmbeddingProvider } from '../providers/types.ts';
import { AppError, type ErrorReason } from '../runtime/errors.ts';
import { log, userTag } from '../runtime/log.ts';
import { after } from '../runtime/system.ts';
import { embeddedWith } from './memory.ts';
import type { AgentPlace, WantedEmbedding } from './schema.ts';
import { readUnembedded } from './store.ts';

/** How long the model may take. */
const timeoutMs = 20_000;

/** Failures of a model that pass by themselves. */
const passing = new Set<ErrorReason | undefined>(['provider_busy', 'provider_unavailable', 'provider_timeout']);

/**
 * Gives a new memory its vector. Safe to repeat: one that is embedded or gone stays as it is. A model that cannot be
 * asked at all is logged and given up, since it could not be asked later either: the memory is listed, never recalled.
 * @throws AppError `unavailable`, `deadline-exceeded` for what may succeed when it is tried again.
 */
export async function embedStored(place: AgentPlace & { memoryId: string }, load: (wanted: WantedEmbedding) => Promise<EmbeddingProvider>): Promise<void> {
  const found = await readUnembedded(place, place.memoryId);
  if (!found) return;
  const { text, wanted } = found.memory;
  try {
    const embeddings = await load(wanted);
    const [vector] = await inTime((signal) => embeddings.embed({ model: wanted.model, texts: [text], purpose: 'document', signal }));
    await found.save(vector!, embeddedWith({ provider: embeddings.name, model: wanted.model }));
  } catch (error) {
    if (!(error instanceof AppError) || passing.has(error.details?.reason)) throw error;
    // Its id is left out: that of a fact is made from its text.
    log.warn('memory not embedded', { agentInstanceId: place.agentInstanceId, user: userTag(place.uid), because: error.message });
  }
}

async function inTime<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const cancel = after(timeoutMs, () => timeout.abort(new AppError('deadline-exceeded', 'The model did not embed in time.', { reason: 'provider_timeout' })));
  return act(timeout.signal).finally(cancel);
}
