import type { ModelEvent, ModelProvider, ModelRequest, Usage } from '../providers/types.ts';
import { estimateUsage } from '../providers/usage.ts';
import { toAppError, type AppError } from '../runtime/errors.ts';

/** What a model call came to. */
export interface ModelRun {
  reply: string;
  outcome: 'complete' | 'length' | 'refused' | 'cut' | 'failed';
  /** As the model reported it; estimated from request and reply when it was cut. */
  usage: Usage;
  /** The model ended its reply without saying what it used. */
  unreported?: true;
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
      if (event.type !== 'text') continue;
      reply += event.text;
      onText(event.text);
    }
    return stopped(request, reply, null);
  } catch (error) {
    return stopped(request, reply, toAppError(error));
  }
}

function stopped(request: ModelRequest, reply: string, error: AppError | null): ModelRun {
  return { reply, outcome: reply === '' ? 'failed' : 'cut', usage: estimateUsage(request, reply), ...(error ? { error } : {}) };
}

function finished(reply: string, { outcome, usage, unreported, scene }: Extract<ModelEvent, { type: 'done' }>): ModelRun {
  return { reply, outcome, usage, ...(unreported ? { unreported } : {}), ...(scene === undefined ? {} : { scene }) };
}
