import { AppError } from '../runtime/errors.ts';
import { abortFailure, vendorDown, vendorFailure, type VendorFailure } from './failures.ts';
import type { ModelEvent, ModelRequest, ProviderName } from './types.ts';

/** What differs between vendors: how a stream is opened, read, and how its errors look. */
export interface VendorCall {
  provider: ProviderName;
  /** Opens the stream. The signal ends with the request's, and once nobody reads any more. */
  open: (signal: AbortSignal) => Promise<AsyncIterable<unknown>>;
  /** Turns the vendor's chunks into events; ends without `done` when the vendor broke off. */
  read: (chunks: AsyncIterable<unknown>) => AsyncIterable<ModelEvent>;
  /** What is known of an error the SDK threw. */
  failureOf: (error: unknown) => VendorFailure;
}

/**
 * Runs one vendor call: at once when the signal is already aborted, never longer than the signal, and never
 * leaving the connection open behind it, however the reader leaves.
 *
 * @throws AppError only, built anew: see vendorFailure.
 */
export async function* streamFromVendor(request: ModelRequest, call: VendorCall): AsyncGenerator<ModelEvent, void> {
  const { provider } = call;
  const { signal } = request;
  if (signal.aborted) throw abortFailure(provider, signal);
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks = await untilAborted(call.open(connection.signal), connection.signal);
    let done = false;
    for await (const event of call.read(watched(chunks, connection.signal))) {
      done ||= event.type === 'done';
      yield event;
    }
    if (!done) throw vendorDown(provider);
  } catch (error) {
    if (signal.aborted) throw abortFailure(provider, signal);
    throw error instanceof AppError ? error : vendorFailure(provider, request, call.failureOf(error));
  } finally {
    signal.removeEventListener('abort', stop);
    // Not every SDK closes its connection when its stream is left early or turns out malformed.
    connection.abort();
  }
}

/** Waits for `work`, but not past the signal: an SDK that is still busy with credentials may not listen to it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
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
