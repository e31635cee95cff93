import { summaryRequest } from '../history/summary.ts';
import type { Exchange, ModelProvider } from '../providers/types.ts';
import type { TurnAbout } from './abilities.ts';
import { isWhole } from './endings.ts';
import { runModel } from './model.ts';

/** What a model makes of a summary and the turns after it; null when it gives no whole answer. `offline` is not asked: it can only measure. */
export async function summaryOf(provider: ModelProvider, { config: { modelRouting: { chat, stream } }, signal }: TurnAbout, earlier: string, exchanges: Exchange[]): Promise<string | null> {
  if (provider.name === 'offline') return null;
  const request = { ...summaryRequest(earlier, exchanges), model: chat, signal, ...(stream === false ? { stream } : {}) };
  const run = await runModel(provider, request, () => undefined);
  return isWhole(run) ? run.reply : null;
}
