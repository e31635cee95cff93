import { AppError } from '../runtime/errors.ts';
import type { ProviderName } from './types.ts';

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

/** The error for a vendor that took too long. */
export function timedOut(provider: ProviderName): AppError {
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
  /** The vendor says that it has no such model, or not for us, whatever the status. */
  unknownModel?: boolean | undefined;
  /** The vendor says that the account has no credit left or has reached its spending limit. */
  outOfCredit?: boolean | undefined;
  /** How long the vendor asks us to wait. */
  retryAfterMs?: number | undefined;
}

/** What an error says of the request that failed: its model, unless it asked for no model. */
export interface FailedRequest {
  model?: string | undefined;
  /** Where the model is set, `config/server.modelRouting.<provider>.vision` (with a frame) or `.chat` by default. */
  setting?: string | undefined;
  frame?: unknown;
  audio?: unknown;
}

/** Longest wait that we pass on, ms: a vendor that asks for more is as good as down for a turn. */
const longestRetryAfterMs = 60_000;

/**
 * The one map from a vendor's failure to the error a caller sees. A new error without a cause: SDK errors carry
 * URLs, headers and bodies, so the key, the prompt and the media with them.
 */
export function vendorFailure(provider: ProviderName, request: FailedRequest, failure: VendorFailure): AppError {
  const { status } = failure;
  const { model, setting = `config/server.modelRouting.${provider}.${request.frame === undefined ? 'chat' : 'vision'}` } = request;
  // Before the credentials: OpenAI answers 403 for a model that our project may not use.
  if (failure.unknownModel || status === 404) {
    if (model === undefined) return notConfigured(`The ${provider} provider does not know what we asked for. Check its address.`);
    return notConfigured(`The ${provider} provider has no model "${model}". Set ${setting} to one it offers.`);
  }
  if (failure.badKey || status === 401 || status === 403) {
    return notConfigured(`The ${provider} provider refused our credentials. Check its key and what that key may use.`);
  }
  // A configuration error although the status is 429: trying again does not help, an operator has to pay or raise a limit
  // (https://platform.openai.com/docs/guides/error-codes).
  if (failure.outOfCredit || status === 402) {
    return notConfigured(`The ${provider} account has no credit left or has reached its spending limit. Raise it with the vendor.`);
  }
  if (status === 429) return busy(provider, failure.retryAfterMs);
  if (status === 408 || status === 504) return timedOut(provider);
  if (status !== undefined && status >= 400 && status < 500) {
    const hasMedia = request.frame !== undefined || request.audio !== undefined;
    if (hasMedia && (failure.badMedia || status === 413 || status === 415)) return badMedia(`The ${provider} model cannot read this picture or sound.`);
    if (model === undefined) return notConfigured(`The ${provider} provider does not accept this kind of request. Check its address.`);
    return notConfigured(`The ${provider} model "${model}" does not accept this kind of request. Check ${setting}.`);
  }
  return vendorDown(provider);
}

function busy(provider: ProviderName, retryAfterMs: number | undefined): AppError {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(longestRetryAfterMs, Math.max(1, Math.ceil(retryAfterMs))) };
  return new AppError('unavailable', `The ${provider} model is busy. Try again shortly.`, { reason: 'provider_busy', ...wait });
}

/** A vendor's text without words that hold a hyphen or a digit: a model called `some-image-1` says nothing about the picture. */
export function withoutNames(message: string): string {
  return message.replace(/[^\s"'`]*[-\d][^\s"'`]*/g, '');
}
