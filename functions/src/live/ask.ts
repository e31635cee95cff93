import { charge, type Charge, type Ending } from '../credits/charge.ts';
import { inputPrice, usagePrice, type PricedUsage } from '../credits/prices.ts';
import { noUsage, type ModelProvider, type ProviderName } from '../providers/types.ts';
import { estimateUsage, textTokens } from '../providers/usage.ts';
import { AppError, toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after } from '../runtime/system.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { runModel, type ModelRun } from './model.ts';
import type { PreparedTurn } from './prepare.ts';
import type { CutReason } from './schema.ts';
import { updateLive } from './store.ts';
import { StreamWriter } from './stream.ts';

/** A turn that holds the lease and is about to ask the model. */
export interface Question {
  sessionId: string;
  turnId: string;
  prepared: PreparedTurn;
  config: SessionConfig;
  /** DOFs held for the turn; fewer than it can cost at most when the session is near its end. */
  held: number;
  /** Fingerprint of the frame before. */
  scene?: string | undefined;
  /** Who asks. */
  uid: string;
  emit: (chunk: unknown) => void;
  /** Aborted when the caller has gone. */
  callerGone: AbortSignal;
  /** Aborted when the session closes or the lease is lost. */
  closed: AbortSignal;
}

/** What a model call came to, as far as its price goes. */
export interface Answer extends ModelRun {
  provider: ProviderName | null;
  ending: Ending;
  cutBecause: CutReason | null;
  priced: Charge;
}

/** What asking the model is given from outside. */
export interface AskDeps {
  now: () => number;
  provider: (config: SessionConfig) => Promise<ModelProvider>;
}

/** Asks the model, passing its reply on as it comes, until it ends, is cut or has used up what is held. Never throws. */
export async function askModel(question: Question, deps: AskDeps): Promise<Answer> {
  const { sessionId, turnId, uid } = question;
  const writer = new StreamWriter(sessionId, turnId);
  const live: Promise<boolean>[] = [shown(updateLive(sessionId, { turn: { id: turnId, state: 'thinking', by: uid } }))];
  let spoke = false;
  const onText = (text: string): void => {
    question.emit({ type: 'chunk', turnId, text });
    writer.add(text, deps.now());
    if (!spoke) live.push(shown(updateLive(sessionId, { 'turn/state': 'speaking' })));
    spoke = true;
  };
  try {
    const provider = await deps.provider(question.config);
    return { ...await run(provider, question, onText), provider: provider.name };
  } catch (error) {
    return { reply: '', outcome: 'failed', usage: noUsage, error: toAppError(error), provider: null, ending: 'failed', cutBecause: null, priced: { cost: 0, estimated: false } };
  } finally {
    const written = await Promise.all([shown(writer.end()), ...live]);
    if (written.includes(false)) log.warn('live state not written', { sessionId, turnId });
  }
}

async function run(provider: ModelProvider, question: Question, onText: (text: string) => void): Promise<Omit<Answer, 'provider'>> {
  const { prepared, config, held } = question;
  const timeout = new AbortController();
  const spent = new AbortController();
  const asked = { ...prepared.model, maxOutputTokens: affordableTokens(question), ...(question.scene === undefined ? {} : { sceneBefore: question.scene }) };
  const signal = AbortSignal.any([question.callerGone, timeout.signal, question.closed, spent.signal]);
  const before = estimateUsage({ ...asked, signal }, '');
  let reply = '';
  const cancel = after(config.limits.turnTimeoutSeconds * 1000, () => timeout.abort(new AppError('deadline-exceeded', 'The model did not finish in time.', { reason: 'provider_timeout' })));
  const answer = await runModel(provider, { ...asked, signal }, (text) => {
    reply += text;
    onText(text);
    const price = inputPrice(config.dofRates, prepared.priced) + usagePrice(config.dofRates, spokenToo(question, { ...before, outputTokens: textTokens(reply) }, reply));
    if (price > held) spent.abort(new AppError('resource-exhausted', 'The DOFs held for this turn are used up.', { reason: 'dofs_exhausted' }));
  });
  cancel();
  const short = asked.maxOutputTokens < prepared.model.maxOutputTokens && answer.outcome === 'length';
  const stops = { spent: spent.signal.aborted || short, callerGone: question.callerGone.aborted, late: timeout.signal.aborted, closed: question.closed.aborted };
  const ending = endingOf(answer, stops);
  return { ...answer, ending, cutBecause: cutReason(answer, stops), priced: charge(ending, config.dofRates, prepared.priced, spokenToo(question, answer.usage, answer.reply), held) };
}

interface Stops {
  spent: boolean;
  callerGone: boolean;
  late: boolean;
  closed: boolean;
}

/** The row of the charge policy for a model call that ended like this. */
export function endingOf({ outcome, unreported }: Pick<ModelRun, 'outcome' | 'unreported'>, stops: Stops): Ending {
  if (outcome === 'failed') return 'failed';
  if (outcome === 'cut') return stops.spent ? 'exhausted' : stops.callerGone ? 'callerGone' : 'cut';
  return stops.late ? 'late' : unreported ? 'unreported' : 'answered';
}

function cutReason({ outcome }: ModelRun, { spent, callerGone, late, closed }: Stops): CutReason | null {
  if (outcome === 'length' && spent) return 'dofs_exhausted';
  if (outcome !== 'cut') return null;
  if (spent) return 'dofs_exhausted';
  return callerGone ? 'caller_gone' : late ? 'deadline' : closed ? 'session_closed' : 'provider_fault';
}

/** Output tokens that what is held can pay for beside the input. */
function affordableTokens({ prepared, held }: Question): number {
  const { maxOutputTokens } = prepared.model;
  if (held >= prepared.held) return maxOutputTokens;
  const perToken = (prepared.held - prepared.least) / (maxOutputTokens - prepared.leastOutputTokens);
  const affordable = Math.floor(prepared.leastOutputTokens + (held - prepared.least) / perToken);
  return Math.min(maxOutputTokens, affordable);
}

function spokenToo({ prepared }: Question, usage: Answer['usage'], reply: string): PricedUsage {
  return { ...usage, spokenCharacters: prepared.priced.spoken ? reply.length : 0 };
}

/** Whether a write to the live state came through; a turn goes on without it. */
function shown(write: Promise<void>): Promise<boolean> {
  return write.then(() => true, () => false);
}
