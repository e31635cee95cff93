import type { AppError } from '../../runtime/errors.ts';
import { vendorDown } from '../failures.ts';
import type { ModelEvent, ModelOutcome, ModelProvider, ModelRequest } from '../types.ts';
import { charactersIn, estimateUsage, textTokens } from '../usage.ts';
import { chance } from './chance.ts';
import { compose } from './reply.ts';
import { pause } from './timing.ts';
import { wantedCall } from './tools.ts';

/** Knobs for tests: how slow the provider is and when it fails. The same seed and request always do the same. */
export interface OfflineOptions {
  /** What the draws below begin with, 0 by default. */
  seed?: number;
  /** Milliseconds before the first chunk. */
  delayMs?: number;
  /** Up to so many milliseconds more before the first chunk, drawn for each request. */
  jitterMs?: number;
  /** Milliseconds before every further chunk. */
  chunkDelayMs?: number;
  /** Thrown instead of (or, with failAfterChunks, after part of) the reply. */
  failWith?: AppError;
  /** Chunks sent before the failure; without failWith it fails as `unavailable`. */
  failAfterChunks?: number;
  /** Share of requests that fail, 0 to 1, drawn for each request; without it none does, or every one where one of the two above is set. */
  failRate?: number;
}

/**
 * The provider that needs no key and no network. It is no language model and says so: every reply begins with
 * `[offline]` and reports what arithmetic finds in the real pixels and samples. It calls the tools that it is offered
 * when an instruction asks for one in so many words. The same input gives the same reply.
 */
export function offlineProvider(options: OfflineOptions = {}): ModelProvider {
  return { name: 'offline', generate: (request) => answer(request, options) };
}

async function* answer(request: ModelRequest, options: OfflineOptions): AsyncGenerator<ModelEvent, void> {
  const { signal } = request;
  const { delayMs = 0, jitterMs = 0, chunkDelayMs = 0, seed = 0, failWith: failure = vendorDown('offline') } = options;
  const failAfter = chunksBeforeFailure(request, options);
  await pause(delayMs + (jitterMs > 0 ? jitterMs * chance(seed, 'delay', request) : 0), signal);
  const { pieces, written, outcome } = await answerTo(request);
  for (const [index, piece] of pieces.entries()) {
    if (index >= failAfter) throw failure;
    await pause(index > 0 ? chunkDelayMs : 0, signal);
    yield piece;
  }
  if (failAfter !== Infinity) throw failure; // a reply shorter than failAfterChunks fails all the same
  // The code point cut may be longer in UTF-16 units than the bound, the count may not.
  const usage = estimateUsage(request, written);
  usage.outputTokens = Math.min(usage.outputTokens, Math.max(0, Math.floor(request.maxOutputTokens)));
  yield { type: 'done', outcome, usage };
}

function chunksBeforeFailure(request: ModelRequest, { seed = 0, failWith, failAfterChunks, failRate }: OfflineOptions): number {
  const fails = failRate === undefined ? failWith !== undefined || failAfterChunks !== undefined : chance(seed, 'failure', request) < failRate;
  return fails ? failAfterChunks ?? 0 : Infinity;
}

interface Answer {
  pieces: ModelEvent[];
  /** What counts as output. */
  written: string;
  outcome: ModelOutcome;
}

async function answerTo(request: ModelRequest): Promise<Answer> {
  const call = wantedCall(request);
  const asked = JSON.stringify(call);
  if (call && textTokens(asked) <= request.maxOutputTokens) return { pieces: [{ type: 'calls', calls: [call] }], written: asked, outcome: 'complete' };
  const full = await compose(request);
  const written = [...full].slice(0, charactersIn(request.maxOutputTokens)).join('');
  const pattern = request.stream === false ? /[^]+/g : /\S+\s*(?:\S+\s*){0,4}/g;
  const pieces = (written.match(pattern) ?? []).map((text) => ({ type: 'text' as const, text }));
  return { pieces, written, outcome: written === full ? 'complete' : 'length' };
}
