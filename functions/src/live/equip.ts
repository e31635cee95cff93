import { newEvent } from '../events/events.ts';
import { recordEvent } from '../events/store.ts';
import { foldTurns } from '../history/fold.ts';
import type { Fold } from '../history/schema.ts';
import { readSummary } from '../history/store-summary.ts';
import { summaryNotes, turnsToRead, windowOf } from '../history/summary.ts';
import type { KeptMedia } from '../media/schema.ts';
import { keepMedia } from '../media/store.ts';
import { recall } from '../memory/recall.ts';
import { rememberFact, rememberTurn } from '../memory/store.ts';
import { newBreakers } from '../providers/breakers.ts';
import { notConfigured } from '../providers/failures.ts';
import { seeFrame } from '../providers/media/vision.ts';
import { loadEmbeddings, loadProvider, loadSpeech, type ProviderSettings } from '../providers/registry.ts';
import { resilientProvider, targetKey } from '../providers/resilient.ts';
import { withRetries, type RetryOptions } from '../providers/retry.ts';
import { providerSettings } from '../providers/settings.ts';
import type { Degradation, Media, ModelTarget, ProviderName, Speech, ToolCall, VendorName } from '../providers/types.ts';
import { AppError, toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after, now } from '../runtime/system.ts';
import { callTool, toolsOf } from '../toolkit/toolkit.ts';
import type { Abilities, Background, TurnAbout, TurnIdentity } from './abilities.ts';
import { fittingNote, maxNoteCharacters, maxResultCharacters, maxSummaryNoteCharacters } from './bounds.ts';
import { readObjective, setObjective } from './store.ts';
import { lastTurns } from './store-turns.ts';
import { summaryOf } from './summarize.ts';
import { inTime } from './turn-time.ts';

/** Kept by each instance: what one turn finds out about a model serves the next. */
const breakers = newBreakers();

/** The abilities of deployed turns: the vendors that the session's config names, Firestore for what agents remember. */
export const abilities: Abilities = {
  model: (about, hasFrame) => Promise.resolve(modelOf(about, hasFrame)),
  see: seeFrame,
  background: gatherBackground,
  callTool: (about, call) => carryOut(about, call),
  speak,
  remember: (about, exchange) => quietly('turn not remembered', about, () => rememberTurn(sourceOf(about), exchange, embeddingOf(about))),
  summarize: (about, fold) => quietly('turns not folded', about, () => summarize(about, fold)),
  keep: async (about, by, media) => (await Promise.all(media.map((each) => keep(about, by, each)))).flatMap((kept) => kept ?? []),
  report: (about, degradations) => quietly('degradation not reported', about, () => recordEvent(degradedEvent(about, degradations))),
};

/** A model as the configuration names it. */
interface Wanted {
  provider: VendorName;
  model: string;
  /** Where it is named, if not at its usual place. */
  setting?: string;
}

/** The same with the provider that really answers, and its settings. */
type Usable<T extends Wanted> = Omit<T, 'provider'> & { provider: ProviderName; settings: ProviderSettings };

/** Those that can be asked: on emulators a vendor without a key is replaced by offline, which must not step in for one that fails. */
function usableOf<T extends Wanted>(wanted: T[]): Usable<T>[] {
  return wanted.map((each): Usable<T> => {
    const { name, settings } = providerSettings(each.provider);
    return { ...each, provider: name, settings };
  }).filter(({ provider }, index) => index === 0 || provider !== 'offline');
}

/** The configured model and those that step in for it. */
function modelOf({ config, deadlineAt }: TurnAbout, hasFrame: boolean): ReturnType<typeof resilientProvider> {
  const { modelRouting: { vision, chat, fallbacks = [] }, limits } = config;
  const stepIn = fallbacks.map((fallback, index) => ({ ...fallback, setting: `config/server.modelRouting.${config.provider}.fallbacks[${index}]` }));
  const targets = usableOf<Wanted>([{ provider: config.provider, model: hasFrame ? vision : chat }, ...stepIn]);
  return resilientProvider(targets, { load: ({ provider, settings }) => loadProvider(provider, settings), breakers, failuresToRest: limits.modelFailuresToRest, deadlineAt });
}

function retrying({ signal, deadlineAt, config }: TurnAbout, target: ModelTarget): RetryOptions {
  return { signal, deadlineAt, key: targetKey(target), breakers, failuresToRest: config.limits.modelFailuresToRest };
}

async function gatherBackground(about: TurnAbout, instruction: string | undefined): Promise<Background> {
  const { sessionId, config } = about;
  const remembered = config.hasMemory && instruction !== undefined ? recallTexts(about, instruction) : Promise.resolve([]);
  const all = await Promise.allSettled([lastTurns(sessionId, turnsToRead), readSummary(sessionId), readObjective(sessionId), remembered]);
  const [turns, summary, objective, memories] = all;
  const known = summary.status === 'fulfilled' ? summary.value : null;
  const { history, fold } = windowOf(turns.status === 'fulfilled' ? turns.value : [], known);
  const notes = [
    ...(objective.status === 'fulfilled' && objective.value !== null ? [`The player's objective: ${objective.value}`] : []),
    ...(memories.status === 'fulfilled' ? memories.value.map((text) => `You remember: ${text}`) : []),
  ].map((note) => fittingNote(note, maxNoteCharacters));
  const lost = all.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  return {
    history,
    notes: [...summaryNotes(known).map((note) => fittingNote(note, maxSummaryNoteCharacters)), ...notes],
    degradations: lost ? [{ what: 'memory', because: toAppError(lost.reason).details?.reason ?? 'internal' }] : [],
    // Without knowing what is folded already there is nothing to fold.
    ...(fold && summary.status === 'fulfilled' ? { fold } : {}),
  };
}

/** How long a summary may take its model, whoever leaves meanwhile: the next turns need it all the same. */
const mostSummarizingMs = 5_000;

async function summarize(about: TurnAbout, fold: Fold): Promise<void> {
  const unhurried = { ...about, signal: new AbortController().signal };
  const ms = Math.min(mostSummarizingMs, about.deadlineAt - now());
  await foldTurns(about.sessionId, fold, (earlier, exchanges) => within(unhurried, ms, (patient) => summaryOf(modelOf(patient, false), patient, earlier, exchanges)));
}

async function recallTexts(about: TurnAbout, query: string): Promise<string[]> {
  const [wanted] = usableOf([embeddingOf(about)]) as [Usable<Wanted>];
  const { provider, model, settings } = wanted;
  const embeddings = await loadEmbeddings(provider, settings);
  const agent = { uid: about.ownerId, agentInstanceId: about.agentInstanceId };
  const ms = Math.min(mostRecallingMs, (about.deadlineAt - now()) / 4);
  return within(about, ms, (patient) => withRetries((signal) => recall(agent, query, { embeddings, model, signal }), retrying(patient, wanted)))
    .catch((error: unknown) => { throw failed(about, wanted, error); });
}

/** How long memory may take: an answer without it is better than none. */
const mostRecallingMs = 3_000;

/** The failure of a model that a turn can do without, which the log should name. */
function failed({ sessionId, turnId }: TurnIdentity, target: ModelTarget, error: unknown): AppError {
  const failure = toAppError(error);
  log.warn('model failed', { sessionId, turnId, model: targetKey(target), reason: failure.details?.reason, problem: failure.message });
  return failure;
}

function carryOut(about: TurnAbout, call: ToolCall): Promise<Record<string, unknown>> {
  return callTool(call, {
    offered: toolsOf(about.config).map(({ name }) => name),
    guide: about.config.specialization,
    remember: (fact) => rememberFact(sourceOf(about), fact, embeddingOf(about)),
    recall: (query) => recallTexts(about, query),
    setObjective: (objective) => setObjective(about.sessionId, objective),
  }, maxResultCharacters);
}

/** Speaks with the product's voice, or with one that is configured to step in. */
async function speak(about: TurnAbout, text: string): ReturnType<Abilities['speak']> {
  const { provider, voiceId, modelRouting: { tts, ttsFallbacks = [] } } = about.config;
  // A voice of Cloud Text-to-Speech is a model of its own.
  const model = provider === 'google' ? voiceId : tts;
  if (model === undefined) throw notConfigured(`No model speaks for the ${provider} provider. Set config/server.modelRouting.${provider}.tts.`);
  const voices = usableOf([{ provider, model, voice: voiceId }, ...ttsFallbacks]);
  const failures: AppError[] = [];
  for (const [index, voice] of voices.entries()) {
    try {
      const speech = await speakWith(voice, about, text, index + 1 < voices.length);
      return { speech, degradations: failures.length === 0 ? [] : [{ what: 'speech', from: targetKey(voices[0]!), to: targetKey(voice), because: failures[0]!.details?.reason ?? 'internal' }] };
    } catch (error) {
      failures.push(failed(about, voice, error));
    }
  }
  throw failures[0]!;
}

/** How long the last voice may take: a player waits for it, and the session with him. */
const mostSpeakingMs = 10_000;

async function speakWith({ provider, model, voice, settings }: Usable<{ voice: string } & Wanted>, about: TurnAbout, text: string, replaceable: boolean): Promise<Speech> {
  const left = about.deadlineAt - now();
  const speaker = await loadSpeech(provider, settings);
  return within(about, Math.min(mostSpeakingMs, replaceable ? left / 2 : left), (patient) => (
    withRetries((signal) => speaker.speak({ text, voice, model, signal }), retrying(patient, { provider, model }))));
}

/** Does what may be given up before the turn is: its own time, at most `ms`. @throws AppError `deadline-exceeded` (provider_timeout) when that is over. */
async function within<T>(about: TurnAbout, ms: number, act: (patient: TurnAbout) => Promise<T>): Promise<T> {
  const patience = new AbortController();
  const cancel = after(ms, () => patience.abort(new AppError('deadline-exceeded', 'This took too long and was given up.', { reason: 'provider_timeout' })));
  const patient = { ...about, deadlineAt: Math.min(about.deadlineAt, now() + ms), signal: AbortSignal.any([about.signal, patience.signal]) };
  return inTime(act(patient), patient).finally(cancel);
}

/** How long keeping a file may hold up the answer; the storage goes on with it. */
const mostKeepingMs = 10_000;

function keep(about: TurnIdentity, by: string, media: Media): Promise<KeptMedia | null | undefined> {
  const { sessionId, turnId } = about;
  // The turn is over: neither its deadline nor a caller who leaves ends this.
  const patient = { ...about, deadlineAt: Infinity, signal: new AbortController().signal };
  return quietly('media not kept', about, () => within(patient, mostKeepingMs, () => keepMedia({ sessionId, turnId, by }, media)));
}

/** @throws AppError `failed-precondition` (provider_configuration) when nothing embeds for the session's provider. */
function embeddingOf({ config: { provider, modelRouting: { embedding } } }: TurnIdentity): { provider: typeof provider; model: string } {
  if (embedding === undefined) throw notConfigured(`No model embeds for the ${provider} provider. Set config/server.modelRouting.${provider}.embedding.`);
  return { provider, model: embedding };
}

function sourceOf({ ownerId, agentInstanceId, sessionId, turnId }: TurnIdentity): Parameters<typeof rememberTurn>[0] {
  return { uid: ownerId, agentInstanceId, sessionId, turnId };
}

function degradedEvent({ sessionId, turnId, ownerId, agentInstanceId }: TurnIdentity, degradations: Degradation[]): Parameters<typeof recordEvent>[0] {
  return newEvent({ type: 'turn.degraded', subject: turnId, sequence: 1, data: { userId: ownerId, agentInstanceId, sessionId, turnId, degradations } });
}

async function quietly<T>(failure: string, { sessionId, turnId }: TurnIdentity, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    log.warn(failure, { sessionId, turnId, reason: toAppError(error).details?.reason, code: (error as { code?: unknown }).code });
  }
}
