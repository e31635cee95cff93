/** How many turns that have ended stay in `streams/{sessionId}`, for members who join late. */
export const keptStreams = 6;

/** The turns whose streams are there once this one has ended too, oldest first. */
export function withStream(streams: string[] = [], turnId: string): string[] {
  return [...streams.slice(1 - keptStreams), turnId];
}

/** The turns whose streams go when another one ends. */
export function outdated(streams: string[] = []): string[] {
  return streams.slice(0, Math.max(0, streams.length - keptStreams + 1));
}
