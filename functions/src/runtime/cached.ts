import { now } from './system.ts';

/**
 * Remembers what `load` has answered for some ms, for one instance; calls that come together share one load. A failure is not remembered.
 */
export function cached<T>(ms: number, load: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (last && now() < last.at + ms) return last.answer;
    const mine = { at: now(), answer: load() };
    last = mine;
    mine.answer.catch(() => { if (last === mine) last = undefined; });
    return mine.answer;
  };
}
