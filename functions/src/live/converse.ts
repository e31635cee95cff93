import type { ModelProvider, ModelRequest, ToolCall, ToolRound, Usage } from '../providers/types.ts';
import { estimateUsage, textTokens } from '../providers/usage.ts';
import { maxToolCalls, maxToolRounds } from './bounds.ts';
import { runModel, type ModelRun } from './model.ts';

/** Carries out a function call that a model asked for. Never throws: what goes wrong is a result too. */
export type CallTool = (call: ToolCall) => Promise<Record<string, unknown>>;

/** Text as it comes, and what the turn has used by then, estimated. */
export type OnText = (text: string, used: Usage) => void;

/**
 * Runs a model until it has answered, carrying out the functions that it calls: at most `maxToolRounds` rounds, after
 * which it is offered none and has to answer with what it knows. Usage is that of all its calls together, and
 * `maxOutputTokens` bounds them together. Never throws.
 */
export async function converse(provider: ModelProvider, request: ModelRequest, callTool: CallTool, onText: OnText): Promise<ModelRun> {
  const rounds: ToolRound[] = [];
  const before: ModelRun[] = [];
  for (;;) {
    const used = sum(before.map(({ usage }) => usage));
    const left = request.maxOutputTokens - used.outputTokens - used.reasoningTokens;
    const asked = nextRequest(request, rounds, left);
    const reading = estimateUsage(asked, '');
    let said = '';
    const spokenBefore = replyOf(before);
    const run = await runModel(provider, asked, (text) => {
      const gap = said === '' ? gapBetween(spokenBefore, text) : '';
      said += text;
      onText(gap + text, sum([used, { ...reading, outputTokens: textTokens(said) }]));
    });
    before.push(run);
    const calls = run.calls.slice(0, maxToolCalls);
    if (calls.length === 0 || rounds.length === maxToolRounds) return together(before);
    if (request.signal.aborted) return cutShort(before);
    if (left <= run.usage.outputTokens + run.usage.reasoningTokens) return { ...together(before), outcome: 'length' };
    rounds.push({ text: run.reply, calls, results: await Promise.all(calls.map(callTool)) });
    if (request.signal.aborted) return cutShort(before);
  }
}

function nextRequest({ tools, ...request }: ModelRequest, rounds: ToolRound[], maxOutputTokens: number): ModelRequest {
  const offered = tools !== undefined && tools.length > 0 && rounds.length < maxToolRounds;
  return { ...request, maxOutputTokens, ...(offered ? { tools } : {}), ...(rounds.length === 0 ? {} : { rounds: [...rounds] }) };
}

/**
 * The runs of one turn as one: the last says how it ended. When it failed, the runs before it were asked for, answered and
 * billed all the same, so the turn is cut rather than failed, and only they count.
 */
function together(runs: ModelRun[]): ModelRun {
  const last = runs.at(-1)!;
  const cut = last.outcome === 'failed' && runs.length > 1;
  const counted = cut ? runs.slice(0, -1) : runs;
  const unreported = counted.filter((run) => run.unreported).length;
  const answeredBy = runs.findLast((run) => run.answeredBy)?.answeredBy;
  return {
    ...last,
    reply: replyOf(runs),
    outcome: cut ? 'cut' : last.outcome,
    usage: sum(counted.map(({ usage }) => usage)),
    degradations: runs.flatMap(({ degradations }) => degradations),
    ...(answeredBy ? { answeredBy } : {}),
    ...(unreported === 0 ? {} : { unreported: unreported === counted.length ? 'wholly' : 'partly' }),
  };
}

/** Stopped between two calls of the model. */
function cutShort(runs: ModelRun[]): ModelRun {
  return { ...together(runs), outcome: 'cut' };
}

/** What was said in all rounds, each apart from the one before. */
function replyOf(runs: ModelRun[]): string {
  return runs.reduce((reply, run) => reply + (run.reply === '' ? '' : gapBetween(reply, run.reply) + run.reply), '');
}

function gapBetween(before: string, text: string): string {
  return before === '' || /\s$/.test(before) || /^\s/.test(text) ? '' : ' ';
}

function sum(usages: Usage[]): Usage {
  const total = { textInputTokens: 0, imageInputTokens: 0, audioInputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  for (const usage of usages) {
    for (const name of Object.keys(total) as (keyof Usage)[]) total[name] += usage[name];
  }
  return total;
}
