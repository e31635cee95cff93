import type { ModelEvent, ModelProvider, ModelRequest, Usage } from '../providers/types.ts';
import { toAppError, type AppError } from '../runtime/errors.ts';

/** What a model call came to. `usage` is known only when the model ended its reply itself. */
export interface ModelRun {
  reply: string;
  outcome: 'complete' | 'length' | 'refused' | 'cut' | 'failed';
  usage: Usage | null;
  scene?: string;
  /** Why it failed or was cut. */
  error?: AppError;
}

/** Runs a model call to its end, passing on text as it comes. Never throws: a fault is `failed` before any text, `cut` after. */
export async function runModel(provider: ModelProvider, request: ModelRequest, onText: (text: string) => void): Promise<ModelRun> {
  let reply = '';
  try {
    for await (const event of provider.generate(request)) {
      if (event.type === 'done') return finished(reply, event);
      reply += event.text;
      onText(event.text);
    }
    return { reply, outcome: reply === '' ? 'failed' : 'cut', usage: null };
  } catch (error) {
    return { reply, outcome: reply === '' ? 'failed' : 'cut', usage: null, error: toAppError(error) };
  }
}

function finished(reply: string, { outcome, usage, scene }: Extract<ModelEvent, { type: 'done' }>): ModelRun {
  return { reply, outcome, usage, ...(scene === undefined ? {} : { scene }) };
}
