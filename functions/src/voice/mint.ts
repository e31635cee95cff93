import { abortFailure } from '../providers/failures.ts';
import type { VoiceToken, VoiceTokenProvider } from '../providers/types.ts';
import { AppError, describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after, now } from '../runtime/system.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { getOwnSession } from '../sessions/store.ts';
import { systemPrompt } from '../sessions/unwrap.ts';
import type { MintedVoiceToken, MintVoiceTokenInput } from './schema.ts';
import { beginAttempt, recordMinted, takeBack, type VoiceAttempt } from './store.ts';
import { liveVoice, voiceTerms } from './voice.ts';

/** How long the vendor may take, in ms. */
const vendorDeadlineMs = 10_000;
/** Most tokens of one answer in a voice conversation: the most that OpenAI allows (https://developers.openai.com/api/reference/resources/realtime/subresources/client_secrets/methods/create). */
const maxVoiceOutputTokens = 4_096;

/** What minting is given from outside: who asks, whether they have gone, and the provider for a config. */
export interface MintDeps {
  uid: string;
  callerGone: AbortSignal;
  provider: (config: SessionConfig) => Promise<VoiceTokenProvider>;
}

/**
 * Mints a voice token: holds what its whole lifetime costs, asks the vendor, records that the hold is posted when it
 * expires, and only then shows the token. What a client says to the vendor cannot be metered, and the vendor takes no
 * token back, so the lifetime is paid for in advance. A token that is not shown costs nothing; only a process that dies
 * after the record leaves one that is paid for and was never seen.
 * @throws AppError as voiceTerms, liveVoice, beginAttempt, recordMinted and the provider do, `deadline-exceeded` (provider_timeout).
 */
export async function mintVoiceToken({ sessionId, requestId, minutes }: MintVoiceTokenInput, { uid, callerGone, provider: load }: MintDeps): Promise<MintedVoiceToken> {
  const session = await getOwnSession(uid, sessionId);
  if (!session) throw new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
  const terms = voiceTerms(session, minutes, now());
  const provider = await load(session.config);
  const attempt = await beginAttempt({ uid, sessionId, requestId }, provider.name, { ...terms, voice: liveVoice(provider.name, terms.voice) });
  try {
    const { token, url, expiresAt } = await askVendor(provider, attempt, session.config, callerGone);
    // No vendor's clock makes a token last longer than was paid for.
    const until = Math.min(expiresAt, attempt.doc.expiresAt.toMillis());
    await recordMinted(attempt, { provider: provider.name, expiresAt: until });
    const { model, voice, heldDOFs } = attempt.doc;
    return { token, url, provider: provider.name, model, voice, expiresAt: new Date(until).toISOString(), heldDOFs, tokensLeftToday: attempt.tokensLeftToday };
  } catch (error) {
    // A caller who leaves has had the vendor asked: it counts, or the quota would be no limit for those who leave.
    await takeBack(attempt, { countsAllTheSame: callerGone.aborted }).catch((failure: unknown) => log.write({ severity: 'ERROR', message: 'voice token not taken back', sessionId, requestId, error: describeError(failure) }));
    throw error;
  }
}

/** Asks the vendor until its deadline, or until the caller has gone: nobody would see the token. */
async function askVendor(provider: VoiceTokenProvider, { doc }: VoiceAttempt, config: SessionConfig, callerGone: AbortSignal): Promise<VoiceToken> {
  const timeout = new AbortController();
  const signal = AbortSignal.any([callerGone, timeout.signal]);
  const cancel = after(vendorDeadlineMs, () => timeout.abort(new AppError('deadline-exceeded', 'The vendor did not hand out a token in time. Nothing was charged.', { reason: 'provider_timeout' })));
  try {
    signal.throwIfAborted();
    const request = { model: doc.model, voice: doc.voice, systemPrompt: systemPrompt(config), expiresAt: doc.expiresAt.toMillis(), maxOutputTokens: maxVoiceOutputTokens, signal };
    const asked = provider.mint(request);
    return await Promise.race([asked, aborted(signal)]);
  } catch (error) {
    throw signal.aborted ? abortFailure(provider.name, signal) : error;
  } finally {
    cancel();
  }
}

/** Rejects when the signal is aborted, or is already. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
