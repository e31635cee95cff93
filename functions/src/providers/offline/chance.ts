import { createHash } from 'node:crypto';
import type { ModelRequest } from '../types.ts';

/** A number from 0 up to 1 that follows from the seed, the question and everything in the request but its signal. */
export function chance(seed: number, question: string, request: ModelRequest): number {
  const { frame, audio, signal: _, ...rest } = request;
  const hash = createHash('sha256').update(JSON.stringify([seed, question, rest, audio?.seconds]));
  for (const media of [frame, audio]) hash.update(media ? `${media.bytes.length}:` : '-').update(media?.bytes ?? '');
  return hash.digest().readUIntBE(0, 6) / 2 ** 48;
}
