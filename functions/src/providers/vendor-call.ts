import { AppError } from '../runtime/errors.ts';
import { abortFailure, vendorFailure, type FailedRequest, type VendorFailure } from './failures.ts';
import type { ProviderName } from './types.ts';
import { vendorLine } from './vendor-fetch.ts';
import { untilAborted } from './vendor-stream.ts';

/** A call that a vendor answers at once, without streaming. */
export interface VendorQuestion<Answer> extends FailedRequest {
  provider: ProviderName;
  /** Asks and reads the answer, through `lineFetch`. The signal ends with the caller's, and as soon as the question is over. */
  ask: (signal: AbortSignal, lineFetch: typeof fetch) => Promise<Answer>;
  /** What is known of an error the SDK threw. */
  failureOf: (error: unknown) => VendorFailure;
}

/** Most bytes of an answer: 10 MB of sound in base64 with room to spare. */
const mostAnswerBytes = 16 * 2 ** 20;

/**
 * Asks a vendor: not at all when the signal is already aborted, never for longer than the signal, and never leaving a
 * connection open behind it.
 *
 * @throws AppError only, built anew: see vendorFailure.
 */
export async function askVendor<Answer>(signal: AbortSignal, question: VendorQuestion<Answer>): Promise<Answer> {
  const { provider } = question;
  if (signal.aborted) throw abortFailure(provider, signal);
  const line = vendorLine(mostAnswerBytes);
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await untilAborted(question.ask(connection.signal, line.fetch), connection.signal);
  } catch (error) {
    if (signal.aborted) throw abortFailure(provider, signal);
    if (error instanceof AppError) throw error;
    throw vendorFailure(provider, question, { retryAfterMs: line.retryAfterMs, ...question.failureOf(error) });
  } finally {
    signal.removeEventListener('abort', stop);
    connection.abort();
  }
}
