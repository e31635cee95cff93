import { charge, type Charge, type Ending } from '../credits/charge.ts';
import { inputPrice, usagePrice, type PricedUsage } from '../credits/prices.ts';
import { worthKeeping } from '../media/media.ts';
import { difference } from '../providers/media/difference.ts';
import type { SeenFrame } from '../providers/media/vision.ts';
import { noUsage, type Degradation, type Media, type ModelRequest, type ProviderName, type Speech } from '../providers/types.ts';
import { toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { systemPrompt, withNotes } from '../sessions/unwrap.ts';
import type { Abilities, Background, TurnAbout, TurnIdentity } from './abilities.ts';
import { converse } from './converse.ts';
import { cutReason, endingOf } from './endings.ts';
import type { ModelRun } from './model.ts';
import type { PreparedTurn } from './prepare.ts';
import type { CutReason } from './schema.ts';
import { speakReply } from './speaking.ts';
import type { StreamWriter } from './stream.ts';
import { inTime, timeOf, type TurnTime } from './turn-time.ts';

/** A turn that holds the lease and is about to ask the model. */
export interface Question {
  about: TurnIdentity;
  prepared: PreparedTurn;
  /** DOFs held for the turn; fewer than it can cost at most when the session is near its end. */
  held: number;
  /** Fingerprint of the frame that was answered last. */
  scene?: string | undefined;
  /** Hears text as it comes. */
  emit: (chunk: unknown) => void;
  /** Tells the members of the session; what it has not told by the answer goes with the turn's end. */
  writer: StreamWriter;
  /** Takes work that goes on beside the answer, whose text does not wait for it; the function answers once both are done. It never fails. */
  beside: (work: Promise<void>) => void;
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
  /** What of the frame and the sound the product keeps; absent when no model answered. */
  toKeep?: Media[];
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
  const { about: { sessionId, turnId, config }, prepared, writer } = question;
  const onText = (text: string): void => {
    // A model that does not stop when it is told to is not listened to: what it says would be shown after the end.
    if (question.closed.aborted) return;
    question.emit({ type: 'chunk', turnId, text });
    writer.add(text);
  };
  const time = timeOf(question, deps.now);
  try {
    return await answerInTime(question, { time, onText }, deps);
  } catch (error) {
    return {
      reply: '', outcome: 'failed', usage: noUsage, degradations: [], error: toAppError(error), provider: null, model: prepared.model.model, speech: null, ending: 'failed', cutBecause: null,
      priced: { cost: 0, estimated: false },
    };
  } finally {
    time.cancel();
    if (!await writer.stop()) log.warn('live state not written', { sessionId, turnId, provider: config.provider });
  }
}

/** A turn's time, and who hears its text. */
interface Course {
  time: TurnTime;
  onText: (text: string) => void;
}

async function answerInTime(question: Question, { time, onText }: Course, { abilities }: AskDeps): Promise<Answer> {
  const { prepared, held, writer } = question;
  const { about } = time;
  const { dofRates } = about.config;
  const seen = await inTime(see(prepared, about, abilities), about);
  if (seen && isUnchanged(question, seen)) return skippedAnswer(question);
  writer.think();
  const whole = held >= prepared.held;
  const background = whole && prepared.conversation ? await inTime(abilities.background(about, prepared.model.instruction), about) : nothingKnown(question, whole);
  if (background.fold && prepared.model.instruction !== undefined) question.beside(abilities.summarize(about, background.fold));
  const provider = await abilities.model(about, seen !== null);
  const asked = requestOf(question, seen, background, about);
  const answer = await converse(provider, asked, (call) => inTime(abilities.callTool(about, call), about).catch(() => unavailable), (text, used) => {
    onText(text);
    if (priceOf(question, { ...used, spokenCharacters: 0 }) > held) time.spend();
  });
  // As it is now: what happens while the reply is spoken comes too late to change how it ended.
  const stops = time.stops();
  stops.spent ||= asked.maxOutputTokens < prepared.model.maxOutputTokens && answer.outcome === 'length';
  const ending = endingOf(answer, stops);
  const { speech, degradations } = await speakReply(prepared, { answer, ending, whole }, about, abilities);
  return {
    ...answer,
    degradations: [...background.degradations, ...answer.degradations, ...degradations],
    provider: answer.answeredBy?.provider ?? provider.name,
    model: answer.answeredBy?.model ?? asked.model,
    speech, ending, cutBecause: cutReason(answer, stops),
    priced: charge(ending, dofRates, prepared.priced, { ...answer.usage, spokenCharacters: speech?.characters ?? 0 }, held),
    // A frame whose answer was cut has not been answered: it is not to be skipped when it comes again.
    ...(seen && answer.outcome !== 'cut' ? { scene: seen.fingerprint } : {}),
    ...(answer.outcome === 'failed' ? {} : { toKeep: worthKeeping(about.config, [seen?.frame, speech]) }),
  };
}

const unavailable = { error: 'not available right now' };

/** Looks at the frame and lets go of it: what the model is sent is smaller. */
async function see({ model, priced: { frame: mode } }: PreparedTurn, { config }: TurnAbout, abilities: Abilities): Promise<SeenFrame | null> {
  const { frame } = model;
  delete model.frame;
  return frame && mode ? abilities.see(frame, { mode, maxPixels: config.limits.maxFramePixels }) : null;
}

function isUnchanged({ prepared, about: { config }, scene }: Question, { fingerprint }: SeenFrame): boolean {
  if (!prepared.skippable) return false;
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

/** What a model is told when nothing is read: for a frame alone nothing is missing, for want of DOFs it is. */
function nothingKnown({ prepared }: Question, whole: boolean): Background {
  const missing: Degradation[] = !whole && prepared.conversation ? [{ what: 'context', because: 'dofs_exhausted' }] : [];
  return { history: [], notes: [], degradations: missing };
}

function requestOf({ prepared, held, scene }: Question, seen: SeenFrame | null, { history, notes }: Background, { config, signal }: TurnAbout): ModelRequest {
  const tools = held >= prepared.held ? prepared.tools : [];
  const prompt = tools.length === 0 ? prepared.model.systemPrompt : systemPrompt(config, tools.map(({ name }) => name));
  return {
    ...prepared.model,
    systemPrompt: withNotes(prompt, notes),
    maxOutputTokens: affordableTokens(prepared, held),
    ...(seen ? { frame: seen.frame } : {}),
    ...(history.length === 0 ? {} : { history }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(scene === undefined ? {} : { sceneBefore: scene }),
    signal,
  };
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
