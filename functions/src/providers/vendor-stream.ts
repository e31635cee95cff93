import { AppError } from '../runtime/errors.ts';
import { abortFailure, vendorDown, vendorFailure, type VendorFailure } from './failures.ts';
import type { ModelEvent, ModelRequest, ProviderName } from './types.ts';
import { vendorLine } from './vendor-fetch.ts';

/** What differs between vendors: how a reply is asked for, read, and how errors look. */
export interface VendorCall {
  provider: ProviderName;
  /** Asks for the reply: its chunks, or `whole(reply)`. The signal ends with the request's, and once nobody reads any more. */
  open: (signal: AbortSignal, lineFetch: typeof fetch) => Promise<AsyncIterable<unknown>>;
  /** Turns the vendor's chunks into events; ends without `done` when the vendor broke off. */
  read: (chunks: AsyncIterable<unknown>) => AsyncIterable<ModelEvent>;
  /** What is known of an error the SDK threw. */
  failureOf: (error: unknown) => VendorFailure;
}

/** Most characters per token that was allowed: the longest tokens of all vendors are runs of blanks, and a reply is not made of those. */
const mostCharactersPerToken = 64;
/** Bytes per token that was allowed: a chunk of a stream brings one token or more, wrapped in some hundred bytes. */
const mostBytesPerToken = 4_096;
/** Bytes of a reply beside that: safety ratings, signatures, an error. */
const mostBytesBeside = 2 ** 20;

/**
 * Runs one vendor call: at once when the signal is already aborted, never longer than the signal, never reading more
 * than the bounds above, and never leaving the connection open behind it, however the reader leaves.
 *
 * @throws AppError only, built anew: see vendorFailure.
 */
export async function* streamFromVendor(request: ModelRequest, call: VendorCall): AsyncGenerator<ModelEvent, void> {
  const { provider } = call;
  const { signal, maxOutputTokens } = request;
  if (signal.aborted) throw abortFailure(provider, signal);
  const line = vendorLine(mostBytesBeside + mostBytesPerToken * maxOutputTokens);
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks = await untilAborted(call.open(connection.signal, line.fetch), connection.signal);
    let characters = 0;
    let done = false;
    for await (const event of call.read(watched(chunks, connection.signal))) {
      characters += charactersOf(event);
      if (characters > mostCharactersPerToken * maxOutputTokens) throw vendorDown(provider);
      done ||= event.type === 'done';
      yield event;
    }
    if (!done) throw vendorDown(provider);
  } catch (error) {
    if (signal.aborted) throw abortFailure(provider, signal);
    if (error instanceof AppError) throw error;
    const failure = call.failureOf(error);
    throw vendorFailure(provider, request, { ...failure, retryAfterMs: failure.retryAfterMs ?? line.retryAfterMs });
  } finally {
    signal.removeEventListener('abort', stop);
    // Not every SDK closes its connection when its stream is left early or turns out malformed.
    connection.abort();
  }
}

/** A reply that came as a whole, as a stream of one chunk. */
// eslint-disable-next-line @typescript-eslint/require-await -- a stream for those who read streams
export async function* whole(reply: unknown): AsyncGenerator<unknown, void> {
  yield reply;
}

function charactersOf(event: ModelEvent): number {
  if (event.type === 'text') return event.text.length;
  return event.type === 'calls' ? JSON.stringify(event.calls.map(({ args }) => args)).length : 0;
}

/** Waits for `work`, but not past the signal: an SDK that is still busy with credentials may not listen to it. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('aborted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The same chunks, ending with an error when the signal does: some SDKs end an aborted stream as if it were complete. */
async function* watched(chunks: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await untilAborted(iterator.next(), signal);
    signal.throwIfAborted();
    if (next.done) return;
    yield next.value;
  }
}
