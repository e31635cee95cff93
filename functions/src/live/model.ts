import type { Degradation, ModelEvent, ModelProvider, ModelRequest, ModelTarget, ToolCall, Usage } from '../providers/types.ts';
import { estimateUsage } from '../providers/usage.ts';
import { toAppError, type AppError } from '../runtime/errors.ts';

/** What a model call came to. */
export interface ModelRun {
  reply: string;
  outcome: 'complete' | 'length' | 'refused' | 'cut' | 'failed';
  /** As the model reported it; estimated from request and reply when it was cut. */
  usage: Usage;
  /** Function calls that it waits for. */
  calls: ToolCall[];
  /** Models that failed before the one that answered, and that one. */
  degradations: Degradation[];
  answeredBy?: ModelTarget;
  /** The model ended its reply without saying what it used, or one of its calls in a turn did: then that one is estimated. */
  unreported?: 'wholly' | 'partly';
  /** Why it failed or was cut. */
  error?: AppError;
}

/** Runs a model call to its end, passing on text as it comes. Never throws: a fault is `failed` before any text, `cut` after. */
export async function runModel(provider: ModelProvider, request: ModelRequest, onText: (text: string) => void): Promise<ModelRun> {
  const run: Pick<ModelRun, 'reply' | 'calls' | 'degradations' | 'answeredBy'> = { reply: '', calls: [], degradations: [] };
  try {
    for await (const event of provider.generate(request)) {
      if (event.type === 'done') return finished(run, event);
      if (event.type === 'calls') run.calls = event.calls;
      if (event.type === 'degraded') {
        run.degradations.push(event.degradation);
        run.answeredBy = event.answeredBy;
      }
      if (event.type !== 'text') continue;
      run.reply += event.text;
      onText(event.text);
    }
    return stopped(run, request, null);
  } catch (error) {
    return stopped(run, request, toAppError(error));
  }
}

type Begun = Pick<ModelRun, 'reply' | 'calls' | 'degradations' | 'answeredBy'>;

function stopped(run: Begun, request: ModelRequest, error: AppError | null): ModelRun {
  // Calls of a run that broke off are not carried out: they may be half of what the model wanted.
  return { ...run, calls: [], outcome: run.reply === '' ? 'failed' : 'cut', usage: estimateUsage(request, run.reply), ...(error ? { error } : {}) };
}

function finished(run: Begun, { outcome, usage, unreported }: Extract<ModelEvent, { type: 'done' }>): ModelRun {
  return { ...run, outcome, usage, ...(unreported ? { unreported: 'wholly' } : {}) };
}
