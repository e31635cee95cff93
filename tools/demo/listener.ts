import { isDeepStrictEqual } from 'node:util';
import type { Client, Output } from './client.ts';
import type { Heard, Meter } from './facts.ts';

/** What `live/{sessionId}` holds, as far as the demo looks at it. */
interface Live {
  status: string;
  closeReason?: string;
  dofs: Meter;
}

type Stream = Record<string, Record<string, { type: 'chunk' | 'done' | 'error'; text?: string }>>;

/** Listens to a session's live state and to its stream of replies, and keeps what it hears. */
export function listen(client: Client, live: Output<'startSession'>['live'], onMeter: (meter: Meter) => void): { heard: Heard; error: () => Error | undefined } {
  const heard: Heard = { updates: 0, meter: [], status: null, closeReason: null, replies: {} };
  let error: Error | undefined;
  const onError = (problem: Error) => {
    error = problem;
  };
  client.listen(live.databaseUrl, live.path, (value) => {
    if (value === null) return;
    const { status, closeReason, dofs } = value as Live;
    heard.updates++;
    Object.assign(heard, { status, closeReason: closeReason ?? null });
    if (isDeepStrictEqual(heard.meter.at(-1), dofs)) return;
    heard.meter.push(dofs);
    onMeter(dofs);
  }, onError);
  client.listen(live.databaseUrl, live.streamsPath, (value) => {
    // Streams of earlier turns go; what was heard of them stays.
    Object.assign(heard.replies, joinReplies((value ?? {}) as Stream));
  }, onError);
  return { heard, error: () => error };
}

/** Text of each turn; the keys that a push makes sort as they were made. */
export function joinReplies(stream: Stream): Record<string, string> {
  return Object.fromEntries(Object.entries(stream).map(([turnId, items]) => {
    const texts = Object.keys(items).sort().map((key) => items[key]?.text ?? '');
    return [turnId, texts.join('')];
  }));
}
