import type { IncomingHttpHeaders } from 'node:http';

/** How the mock vendor behaves; each wire gives it its own shape. */
export const vendorModes = [
  'ok', 'refusal', 'wrong-counts', 'tools', 'empty', // answers
  'bad-key', 'unauthorized', 'forbidden', 'missing-model', 'bad-media', 'busy', 'broken', // HTTP errors
  'slow', 'stalled', 'half', 'cut', 'garbage', 'error-inside', // never answers; broken replies
  'oversized', 'redirect', // a reply that goes on and on; an answer that points to `redirectTo`
] as const;
export type VendorMode = (typeof vendorModes)[number];

/** One request as the vendor got it. */
export interface VendorRequest {
  method: string;
  /** Path with the query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Parsed JSON body. */
  body: unknown;
  /** Resolves when the connection is done with: true when the reply was sent whole, false when the client left. */
  closed: Promise<boolean>;
}

/** How a reply ends: whole, left open, or with a broken connection. */
export type Ending = 'end' | 'hang' | 'cut';

/**
 * What the server sends: JSON, bytes of any type, a stream of `data:` lines, `first` and then `piece` again and again until
 * `mostBytes` are sent, or nothing at all.
 */
export type Script =
  | { kind: 'json'; status: number; body: unknown; headers?: Record<string, string> }
  | { kind: 'bytes'; status: number; type: string; bytes: Buffer; then?: Ending }
  | { kind: 'stream'; data: string[]; then: Ending }
  | { kind: 'endless'; type: string; first: string; piece: string; mostBytes: number }
  | { kind: 'silence' };

/** One call that the mock vendors know. */
export interface Route {
  method: 'GET' | 'POST';
  /** The path without the query. */
  path: RegExp;
  /**
   * What is answered. The mode `redirect` is the server's own and does not come here.
   *
   * @param leak Text to be mixed into every error message, as if the vendor repeated the key and the prompt.
   */
  script: (mode: VendorMode, leak: string, request: VendorRequest) => Script;
}

/** What an oversized reply may send at most, so that a test of a reader without a bound ends. */
export const mostOversizedBytes = 64 * 2 ** 20;

/**
 * The modes in which streams look alike on every wire.
 *
 * @param chunks Chunks of a complete reply.
 * @param last Ends the stream, if the wire has such a line (`[DONE]`).
 */
export function streamScript(mode: VendorMode, chunks: unknown[], last: string[] = []): Script {
  const data = chunks.map((chunk) => JSON.stringify(chunk));
  switch (mode) {
    case 'slow':
      return { kind: 'silence' };
    case 'empty':
      return { kind: 'stream', data: last, then: 'end' };
    case 'stalled':
      return { kind: 'stream', data: data.slice(0, 2), then: 'hang' };
    case 'half':
      return { kind: 'stream', data: data.slice(0, 2), then: 'end' };
    case 'cut':
      return { kind: 'stream', data: data.slice(0, 2), then: 'cut' };
    case 'garbage':
      // Left open: closing the connection is the client's job once it cannot read on.
      return { kind: 'stream', data: [...data.slice(0, 2), '{"not json'], then: 'hang' };
    default:
      return { kind: 'stream', data: [...data, ...last], then: 'end' };
  }
}

/** A stream that never stops growing. @param chunk One chunk with this text, in the wire's shape. */
export function endlessText(chunk: (text: string) => unknown): Script {
  return { kind: 'endless', type: 'text/event-stream', first: '', piece: `data: ${JSON.stringify(chunk('la '.repeat(400)))}\n\n`, mostBytes: mostOversizedBytes };
}

/** The modes in which JSON answers look alike on every wire: nothing, half of it, no JSON, JSON without end; else all of it. */
export function jsonScript(mode: VendorMode, body: unknown): Script {
  const bytes = Buffer.from(JSON.stringify(body));
  const part = { kind: 'bytes', status: 200, type: 'application/json', bytes: bytes.subarray(0, bytes.length / 2) } as const;
  switch (mode) {
    case 'slow':
      return { kind: 'silence' };
    case 'empty':
      return { ...part, bytes: Buffer.alloc(0) };
    case 'stalled':
      return { ...part, then: 'hang' };
    case 'half':
      return { ...part, then: 'end' };
    case 'cut':
      return { ...part, then: 'cut' };
    case 'garbage':
      return { ...part, bytes: Buffer.from('<html>no JSON</html>') };
    case 'oversized':
      return { kind: 'endless', type: 'application/json', first: '{"text":"', piece: 'la '.repeat(20_000), mostBytes: mostOversizedBytes };
    default:
      return { kind: 'json', status: 200, body };
  }
}
