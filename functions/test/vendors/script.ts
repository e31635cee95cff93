/** How the mock vendor behaves; each wire gives it its own shape. */
export const vendorModes = [
  'ok', 'refusal', 'wrong-counts', // answers
  'bad-key', 'unauthorized', 'forbidden', 'missing-model', 'bad-media', 'busy', 'broken', // HTTP errors
  'slow', 'stalled', 'half', 'cut', 'garbage', 'error-inside', // never answers; broken streams
] as const;
export type VendorMode = (typeof vendorModes)[number];

/** Modes that answer with an HTTP error. */
export type ErrorMode = 'bad-key' | 'unauthorized' | 'forbidden' | 'missing-model' | 'bad-media' | 'busy' | 'broken';

/** What the server sends: a JSON error, or a stream of `data:` lines with an end. */
export type Script =
  | { kind: 'json'; status: number; body: unknown }
  | { kind: 'stream'; data: string[]; then: 'end' | 'hang' | 'cut' }
  | { kind: 'silence' };

/**
 * The streaming modes that look alike on every wire.
 *
 * @param chunks Chunks of a complete reply.
 * @param last Ends the stream, if the wire has such a line (`[DONE]`).
 */
export function streamScript(mode: Exclude<VendorMode, ErrorMode | 'error-inside'>, chunks: unknown[], last: string[] = []): Script {
  const data = chunks.map((chunk) => JSON.stringify(chunk));
  switch (mode) {
    case 'slow':
      return { kind: 'silence' };
    case 'stalled':
      return { kind: 'stream', data: data.slice(0, 2), then: 'hang' };
    case 'half':
      return { kind: 'stream', data: data.slice(0, 2), then: 'end' };
    case 'cut':
      return { kind: 'stream', data: data.slice(0, 2), then: 'cut' };
    case 'garbage':
      // Left open: closing the connection is the client's job once it cannot read on.
      return { kind: 'stream', data: [...data.slice(0, 2), '{"not json'], then: 'hang' };
    case 'ok':
    case 'refusal':
    case 'wrong-counts':
      return { kind: 'stream', data: [...data, ...last], then: 'end' };
  }
}
