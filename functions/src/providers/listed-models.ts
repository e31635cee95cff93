import { vendorDown } from './failures.ts';
import type { ListedModel, ProviderName } from './types.ts';

/** No vendor offers more; a list that goes on is one that never ends. */
const mostModels = 10_000;

/**
 * Reads a paged list to its end.
 *
 * @param read What an entry says; null for one that is no model.
 * @throws AppError unavailable (provider_unavailable) for a list without end.
 */
export async function listedModels(provider: ProviderName, entries: AsyncIterable<unknown>, read: (entry: unknown) => ListedModel | null): Promise<ListedModel[]> {
  const models: ListedModel[] = [];
  let seen = 0;
  for await (const entry of entries) {
    seen += 1;
    if (seen > mostModels) throw vendorDown(provider);
    const model = read(entry);
    if (model) models.push(model);
  }
  return models;
}
