import { AsyncLocalStorage } from 'node:async_hooks';
import { now } from '../runtime/system.ts';

/** The way to a vendor for one call: what its SDK uses in place of `fetch`, and what the last answer's headers said. */
export interface VendorLine {
  /** Follows no redirect, which would carry key and prompt to an address that nobody allowed, and ends a body that is too long with an error. */
  fetch: typeof fetch;
  /** How long the vendor asked us to wait, ms; undefined when it did not. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Opens a line to a vendor. SDKs read a JSON body, an error or a line of a stream whole before anybody can look at it, so
 * this is where memory is bounded.
 *
 * @param mostBytes Longest body that is read.
 */
export function vendorLine(mostBytes: number): VendorLine {
  let retryAfterMs: number | undefined;
  return {
    get retryAfterMs() {
      return retryAfterMs;
    },
    fetch: async (input, init) => {
      // Outside of withGlobalFetch, which would come back here.
      const response = await globalFetch.run(undefined, () => fetch(input, { ...init, redirect: 'error' }));
      retryAfterMs = retryAfterOf(response.headers);
      return bounded(response, mostBytes);
    },
  };
}

const globalFetch = new AsyncLocalStorage<typeof fetch | undefined>();
let replaced = false;

/**
 * Runs `work`, in which the global `fetch` is another one, for an SDK that can be given none. The global is replaced once,
 * for good, by a function that looks where it is called from: what else this process does is not touched.
 */
export function withGlobalFetch<T>(other: typeof fetch, work: () => Promise<T>): Promise<T> {
  if (!replaced) {
    const before = globalThis.fetch;
    globalThis.fetch = (input, init) => (globalFetch.getStore() ?? before)(input, init);
    replaced = true;
  }
  return globalFetch.run(other, work);
}

/**
 * What an answer's headers say of when to try again, ms: OpenAI's `retry-after-ms`, else `retry-after` in seconds or as a
 * date (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
 */
export function retryAfterOf(headers: Headers): number | undefined {
  const ms = amount(headers.get('retry-after-ms'));
  if (ms !== undefined) return ms;
  const after = headers.get('retry-after') ?? '';
  const seconds = amount(after);
  if (seconds !== undefined) return seconds * 1_000;
  const date = after.endsWith('GMT') ? Date.parse(after) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now());
}

function amount(text: string | null): number | undefined {
  return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function bounded(response: Response, mostBytes: number): Response {
  if (!response.body) return response;
  let bytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) throw new Error('The answer is too long.');
      controller.enqueue(piece);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(count), { status, statusText, headers });
}
