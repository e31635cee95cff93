import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import { requireOpen } from '../sessions/members.ts';
import { notConfigured } from '../providers/failures.ts';
import type { ProviderName } from '../providers/types.ts';
import { hasLiveVoice } from '../providers/voices.ts';
import { AppError } from '../runtime/errors.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import type { VoiceTokenDoc } from './schema.ts';

/** Lifetime of a token when the client does not say, in minutes. */
const usualMinutes = 5;
/** How long an attempt may be under way before its request may be tried again, in ms: the vendor's deadline and the commits around it. */
export const attemptMs = 15_000;
/** How much longer than its token a hold lasts, in ms: a conversation that is being opened at the last moment is paid for. */
export const graceMs = 60_000;

/** What a token is to be and what it costs. */
export interface VoiceTerms {
  model: string;
  voice: string;
  minutes: number;
  /** DOFs for the whole lifetime. */
  price: number;
}

/**
 * What a token of this session would be. `now` in ms.
 * @throws AppError `failed-precondition`: session_closed, voice_unavailable when the product has no voice chat or no
 *   price for it, provider_configuration when no live model is configured; `invalid-argument` (bad_input) for more
 *   minutes than allowed.
 */
export function voiceTerms({ config, ...session }: SessionDoc, asked: number | undefined, now: number): VoiceTerms {
  requireOpen(session, now);
  const { provider, voiceId: voice, dofRates: { voiceMinute }, modelRouting: { live: model }, limits: { voiceTokenMinutes } } = config;
  if (!config.interactiveVoiceMode || voiceMinute === undefined) {
    throw new AppError('failed-precondition', 'This agent offers no voice conversation. Use processFrame instead.', { reason: 'voice_unavailable' });
  }
  if (!model) throw notConfigured(`No model is configured for voice conversations. Set config/server.modelRouting.${provider}.live.`);
  const minutes = asked ?? Math.min(usualMinutes, voiceTokenMinutes);
  if (minutes > voiceTokenMinutes) throw new AppError('invalid-argument', `A voice token is valid for ${voiceTokenMinutes} minutes at most.`, { reason: 'bad_input' });
  return { model, voice, minutes, price: Math.max(1, voiceMinute * minutes) };
}

/**
 * The voice in which a model talks live that a product's voice stands for. The Chirp 3 HD voices of Cloud Text-to-Speech
 * end with the name of the one of Gemini's (https://cloud.google.com/text-to-speech/docs/chirp3-hd).
 * @throws AppError `failed-precondition` (provider_configuration) for a voice that can only read aloud.
 */
export function liveVoice(provider: ProviderName, voice: string): string {
  const live = provider === 'google' ? /-Chirp3-HD-([A-Z][a-z]+)$/.exec(voice)?.[1] ?? voice : voice;
  if (hasLiveVoice(provider, live)) return live;
  throw notConfigured(`The ${provider} provider has no voice "${voice}" for conversations. Change the voiceId of the product.`);
}

/** What is known when an attempt is decided; all read before anything is written. */
export interface AttemptFacts {
  session: SessionDoc;
  user: UserDoc;
  agent: AgentDoc;
  /** What became of this request so far. */
  known: VoiceTokenDoc | null;
  now: number;
}

/** What an attempt amounts to. */
export interface AttemptDecision {
  attempt: number;
  /** The hold of an attempt that died, still pending: given back when the new one is placed. */
  replacedHoldId: string | null;
  /** What the user has asked for today, this one included. */
  quota: NonNullable<UserDoc['voiceTokens']>;
}

/**
 * Decides whether a request may ask the vendor now.
 * @throws AppError `already-exists` (request_conflict), `aborted` (request_in_progress), `failed-precondition`
 *   (session_closed, voice_token_active), `resource-exhausted` (voice_quota).
 */
export function decideAttempt({ session, user, agent, known, now }: AttemptFacts, { minutes }: VoiceTerms): AttemptDecision {
  requireOpen(session, now);
  if (known) requireRepeatable(known, minutes, now);
  const died = known?.state === 'minting';
  const replacedHoldId = died && Object.hasOwn(agent.holds, known.holdId) ? known.holdId : null;
  requireNoOther(session, agent, replacedHoldId, now);
  const limit = session.config.limits.voiceTokensPerDay;
  const counted = died && dayOf(known.startedAt.toMillis()) === dayOf(now);
  const quota = counted ? usedToday(user.voiceTokens, now) : countedIn(user.voiceTokens, limit, now);
  return { attempt: (known?.attempt ?? 0) + 1, replacedHoldId, quota };
}

function requireRepeatable({ state, minutes, startedAt, expiresAt }: VoiceTokenDoc, asked: number, now: number): void {
  if (minutes !== asked) throw new AppError('already-exists', 'This requestId was used with another body. Use a new one.', { reason: 'request_conflict' });
  if (state === 'minted') {
    throw new AppError('already-exists', 'The token of this requestId was handed out once and cannot be shown again. Use a new requestId after it has expired.', { reason: 'request_conflict', expiresAt: expiresAt.toDate().toISOString() });
  }
  const age = now - startedAt.toMillis();
  if (state === 'minting' && age < attemptMs) {
    throw new AppError('aborted', 'This request is still being answered. Ask again later.', { reason: 'request_in_progress', retryAfterMs: Math.min(attemptMs, attemptMs - age) });
  }
}

/** A session has one token at a time; its hold says until when. */
function requireNoOther({ sessionId }: SessionDoc, { holds }: AgentDoc, replacedHoldId: string | null, now: number): void {
  const ends = Object.entries(holds).flatMap(([holdId, hold]) => (hold.originSessionId === sessionId && holdId !== replacedHoldId ? [hold.expiresAt.toMillis() - graceMs] : []));
  const last = Math.max(...ends);
  if (last <= now) return;
  throw new AppError('failed-precondition', 'This session has a voice token already. Use it, or ask again when it has expired.', { reason: 'voice_token_active', expiresAt: new Date(last).toISOString() });
}

type Quota = NonNullable<UserDoc['voiceTokens']>;

/** The day of a moment (ms) in UTC. */
function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** What was asked for today. A day that lies ahead was counted by an instance whose clock is ahead: it goes on, or a clock would reset the quota. */
function usedToday(used: Quota | undefined, now: number): Quota {
  const day = dayOf(now);
  return used && used.day >= day ? used : { day, count: 0 };
}

/** The quota with one more. @throws AppError `resource-exhausted` (voice_quota). */
function countedIn(used: Quota | undefined, limit: number, now: number): Quota {
  const { day, count } = usedToday(used, now);
  if (count < limit) return { day, count: count + 1 };
  throw new AppError('resource-exhausted', `You have asked for ${limit} voice tokens today, which is the most. Ask again tomorrow (UTC).`, { reason: 'voice_quota', retryAfterMs: Date.parse(day) + dayMs - now });
}
const dayMs = 24 * 60 * 60_000;

/** The quota after a token that was asked for at `startedAt` (ms) was not handed out; as it was when another day has begun. */
export function givenBack(used: Quota | undefined, startedAt: number): Quota | undefined {
  return used && used.count > 0 && used.day === dayOf(startedAt) ? { day: used.day, count: used.count - 1 } : used;
}
