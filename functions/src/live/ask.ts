import { charge, type Charge, type Ending } from '../credits/charge.ts';
import { inputPrice, usagePrice, type PricedUsage } from '../credits/prices.ts';
import type { SeenFrame } from '../providers/media/vision.ts';
import { noUsage, type Degradation, type ModelRequest, type ProviderName, type Speech } from '../providers/types.ts';
import { AppError, toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after } from '../runtime/system.ts';
import { withNotes } from '../sessions/unwrap.ts';
import type { Abilities, Background, TurnAbout, TurnIdentity } from './abilities.ts';
import { converse } from './converse.ts';
import type { ModelRun } from './model.ts';
import type { PreparedTurn } from './prepare.ts';
import type { CutReason } from './schema.ts';
import { updateLive } from './store.ts';
import { StreamWriter } from './stream.ts';

/** A turn that holds the lease and is about to ask the model. */
export interface Question {
  about: TurnIdentity;
  prepared: PreparedTurn;
  /** The frame as it is being decoded. */
  seen: Promise<SeenFrame> | null;
  /** DOFs held for the turn; fewer than it can cost at most when the session is near its end. */
  held: number;
  /** Fingerprint of the frame that was answered last. */
  scene?: string | undefined;
  /** Who asks. */
  uid: string;
  emit: (chunk: unknown) => void;
  /** Aborted when the caller has gone. */
  callerGone: AbortSignal;
  /** Aborted when the session closes or the lease is lost. */
  closed: AbortSignal;
}

/** What a turn came to, as far as its price goes. */
export interface Answer extends Omit<ModelRun, 'outcome' | 'calls' | 'answeredBy'> {
  outcome: ModelRun['outcome'] | 'skipped';
  provider: ProviderName | null;
  model: string;
  speech: Speech | null;
  /** Fingerprint of the frame that was answered. */
  scene?: string;
  ending: Ending;
  cutBecause: CutReason | null;
  priced: Charge;
}

/** What asking the model is given from outside. */
export interface AskDeps {
  now: () => number;
  abilities: Abilities;
}

/** Asks the model, passing its reply on as it comes, until it ends, is cut or has used up what is held. Never throws. */
export async function askModel(question: Question, deps: AskDeps): Promise<Answer> {
  const { about: { sessionId, turnId, config }, prepared, uid } = question;
  const writer = new StreamWriter(sessionId, turnId);
  const live: Promise<boolean>[] = [];
  let spoke = false;
  const onText = (text: string): void => {
    question.emit({ type: 'chunk', turnId, text });
    writer.add(text, deps.now());
    if (!spoke) live.push(shown(updateLive(sessionId, { 'turn/state': 'speaking' })));
    spoke = true;
  };
  try {
    const seen = await question.seen;
    if (seen && await isUnchanged(question, seen)) return skippedAnswer(question);
    live.push(shown(updateLive(sessionId, { turn: { id: turnId, state: 'thinking', by: uid } })));
    return await run(question, seen, onText, deps);
  } catch (error) {
    return {
      reply: '', outcome: 'failed', usage: noUsage, degradations: [], error: toAppError(error), provider: null, model: prepared.model.model, speech: null, ending: 'failed', cutBecause: null,
      priced: { cost: 0, estimated: false },
    };
  } finally {
    const written = await Promise.all([shown(writer.end()), ...live]);
    if (written.includes(false)) log.warn('live state not written', { sessionId, turnId, provider: config.provider });
  }
}

async function isUnchanged({ prepared, about: { config }, scene }: Question, { fingerprint }: SeenFrame): Promise<boolean> {
  if (!prepared.skippable) return false;
  const { difference } = await import('../providers/media/vision.ts');
  const changed = difference(scene, fingerprint);
  return changed !== null && changed < (config.skipUnchangedBelow ?? 0);
}

/** Without a model; the fingerprint stays that of the frame that was answered, so that a slow drift is noticed. */
function skippedAnswer({ about: { config }, prepared, held }: Question): Answer {
  return {
    reply: '', outcome: 'skipped', usage: noUsage, degradations: [], provider: config.provider, model: prepared.model.model, speech: null, ending: 'skipped', cutBecause: null,
    priced: charge('skipped', config.dofRates, prepared.priced, { ...noUsage, spokenCharacters: 0 }, held),
  };
}

async function run(question: Question, seen: SeenFrame | null, onText: (text: string) => void, { now, abilities }: AskDeps): Promise<Answer> {
  const { prepared, held } = question;
  const { config } = question.about;
  const [timeout, spent] = [new AbortController(), new AbortController()];
  const turnMs = config.limits.turnTimeoutSeconds * 1000;
  const about: TurnAbout = { ...question.about, deadlineAt: now() + turnMs, signal: AbortSignal.any([question.callerGone, timeout.signal, question.closed, spent.signal]) };
  const cancel = after(turnMs, () => timeout.abort(new AppError('deadline-exceeded', 'The model did not finish in time.', { reason: 'provider_timeout' })));
  try {
    const whole = held >= prepared.held;
    const background = whole && prepared.conversation ? await abilities.background(about, prepared.model.instruction) : nothingKnown;
    const provider = await abilities.model(about, seen !== null);
    const asked = requestOf(question, seen, background, about.signal);
    const answer = await converse(provider, asked, (call) => abilities.callTool(about, call), (text, used) => {
      onText(text);
      if (priceOf(question, { ...used, spokenCharacters: 0 }) > held) spent.abort(new AppError('resource-exhausted', 'The DOFs held for this turn are used up.', { reason: 'dofs_exhausted' }));
    });
    const short = asked.maxOutputTokens < prepared.model.maxOutputTokens && answer.outcome === 'length';
    const stops = { spent: spent.signal.aborted || short, callerGone: question.callerGone.aborted, late: timeout.signal.aborted, closed: question.closed.aborted };
    const ending = endingOf(answer, stops);
    const spoken = ending === 'answered' && whole ? await speak(question, answer, about, abilities) : { speech: null, degradations: unspoken(question, answer, whole) };
    const priced = charge(ending, config.dofRates, prepared.priced, { ...answer.usage, spokenCharacters: spoken.speech?.characters ?? 0 }, held);
    return {
      ...answer,
      degradations: [...background.degradations, ...answer.degradations, ...spoken.degradations],
      provider: answer.answeredBy?.provider ?? provider.name,
      model: answer.answeredBy?.model ?? asked.model,
      speech: spoken.speech, ending, cutBecause: cutReason(answer, stops), priced,
      ...(seen ? { scene: seen.fingerprint } : {}),
    };
  } finally {
    cancel();
  }
}

const nothingKnown: Background = { history: [], notes: [], degradations: [] };

function requestOf({ prepared, held, scene }: Question, seen: SeenFrame | null, { history, notes }: Background, signal: AbortSignal): ModelRequest {
  const whole = held >= prepared.held;
  return {
    ...prepared.model,
    systemPrompt: withNotes(prepared.model.systemPrompt, notes),
    maxOutputTokens: affordableTokens(prepared, held),
    ...(seen ? { frame: seen.frame } : {}),
    ...(history.length === 0 ? {} : { history }),
    ...(whole && prepared.tools.length > 0 ? { tools: prepared.tools } : {}),
    ...(scene === undefined ? {} : { sceneBefore: scene }),
    signal,
  };
}

/** Speaks a reply that the model has ended. A voice that fails costs the turn its sound and nothing else. */
async function speak(question: Question, answer: ModelRun, about: TurnAbout, abilities: Abilities): Promise<{ speech: Speech | null; degradations: Degradation[] }> {
  if (!question.prepared.priced.spoken || answer.reply.trim() === '' || answer.outcome === 'refused') return { speech: null, degradations: [] };
  try {
    const { speech, degradations } = await abilities.speak(about, answer.reply);
    // The vendor's count is bounded: what is held covers a reply's own characters.
    return { speech: { ...speech, characters: Math.min(speech.characters, answer.reply.length) }, degradations };
  } catch (error) {
    return { speech: null, degradations: [{ what: 'speech', because: toAppError(error).details?.reason ?? 'internal' }] };
  }
}

/** A reply that should have been spoken and is not, for want of DOFs. */
function unspoken({ prepared }: Question, answer: ModelRun, whole: boolean): Degradation[] {
  return !whole && prepared.priced.spoken && answer.reply !== '' ? [{ what: 'speech', because: 'dofs_exhausted' }] : [];
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
export function affordableTokens({ model: { maxOutputTokens }, bare }: PreparedTurn, held: number): number {
  if (held >= bare.held) return maxOutputTokens;
  const perToken = (bare.held - bare.least) / (maxOutputTokens - bare.leastOutputTokens);
  return Math.min(maxOutputTokens, Math.floor(bare.leastOutputTokens + (held - bare.least) / perToken));
}

function priceOf({ about: { config: { dofRates } }, prepared }: Question, used: PricedUsage): number {
  return inputPrice(dofRates, prepared.priced) + usagePrice(dofRates, used);
}

/** Whether a write to the live state came through; a turn goes on without it. */
function shown(write: Promise<void>): Promise<boolean> {
  return write.then(() => true, () => false);
}
