import { AppError } from '../runtime/errors.ts';
import type { ModelRequest, ProviderName } from './types.ts';

/**
 * The error for media that cannot be read. The message goes to the client, so it names the problem and never
 * repeats a byte of the media.
 */
export function badMedia(message: string): AppError {
  return new AppError('invalid-argument', message, { reason: 'bad_media' });
}

/** The error for a provider that an operator has to set up: a key, an address, a model name. */
export function notConfigured(message: string): AppError {
  return new AppError('failed-precondition', message, { reason: 'provider_configuration' });
}

/** The error for a vendor that failed or broke off; trying again may help. */
export function vendorDown(provider: ProviderName): AppError {
  return new AppError('unavailable', `The ${provider} model did not answer. Try again.`, { reason: 'provider_unavailable' });
}

function timedOut(provider: ProviderName): AppError {
  return new AppError('deadline-exceeded', `The ${provider} model took too long to answer.`, { reason: 'provider_timeout' });
}

/** What to throw once `signal` is aborted: its own reason when that is an AppError, else deadline-exceeded. */
export function abortFailure(provider: ProviderName, signal: AbortSignal): AppError {
  return signal.reason instanceof AppError ? signal.reason : timedOut(provider);
}

/** What is known of a vendor's failure. Only numbers and flags: a vendor's text may repeat the key or the prompt. */
export interface VendorFailure {
  /** HTTP status, absent when no answer came. */
  status?: number | undefined;
  /** The vendor says that the key or the credentials are the problem, whatever the status. */
  badKey?: boolean | undefined;
  /** The vendor says that the picture or the sound is the problem. */
  badMedia?: boolean | undefined;
}

/**
 * The one map from a vendor's failure to the error a caller sees. A new error without a cause: SDK errors carry
 * URLs, headers and bodies, so the key, the prompt and the media with them.
 */
export function vendorFailure(provider: ProviderName, request: ModelRequest, failure: VendorFailure): AppError {
  const { status } = failure;
  if (failure.badKey || status === 401 || status === 403) {
    return notConfigured(`The ${provider} provider refused our credentials. Check its key and what that key may use.`);
  }
  if (status === 404) {
    return notConfigured(`The ${provider} provider has no model "${request.model}". Set config/server.modelRouting.${provider}.vision to one it offers.`);
  }
  if (status === 429) {
    return new AppError('unavailable', `The ${provider} model is busy. Try again shortly.`, { reason: 'provider_busy' });
  }
  if (status === 408 || status === 504) return timedOut(provider);
  if (status !== undefined && status >= 400 && status < 500) {
    const hasMedia = request.frame !== undefined || request.audio !== undefined;
    if (hasMedia && (failure.badMedia || status === 413 || status === 415)) return badMedia(`The ${provider} model cannot read this picture or sound.`);
    return notConfigured(`The ${provider} model "${request.model}" does not accept this kind of request. Check config/server.modelRouting.${provider}.`);
  }
  return vendorDown(provider);
}
