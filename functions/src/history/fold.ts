import { toExchange } from '../live/results.ts';
import { lastTurns } from '../live/store-turns.ts';
import type { Exchange } from '../providers/types.ts';
import { describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import type { Fold } from './schema.ts';
import { advanceSummary } from './store-summary.ts';
import { extractSummary, keptSummary, mostFolded } from './summary.ts';

/** Makes a summary of the one so far and the turns after it; null when it cannot. */
export type Summarize = (earlier: string, exchanges: Exchange[]) => Promise<string | null>;

/**
 * Folds the turns that models will soon not be told of any more into the session's summary. Where nobody can summarize, it is put
 * together from their first sentences, so that it always goes on.
 */
export async function foldTurns(sessionId: string, { summary, through }: Fold, summarize: Summarize): Promise<void> {
  const turns = await lastTurns(sessionId, mostFolded, { from: (summary?.through ?? 0) + 1, to: through });
  const last = turns.at(-1);
  if (!last) return;
  const earlier = summary?.text ?? '';
  const exchanges = turns.flatMap(toExchange);
  const written = exchanges.length === 0 ? earlier : await summarize(earlier, exchanges).catch((error: unknown) => {
    log.warn('summary without a model', { sessionId, error: describeError(error) });
    return null;
  });
  await advanceSummary(sessionId, { text: keptSummary(written ?? '') || extractSummary(earlier, exchanges), through: last.saidAt });
}
