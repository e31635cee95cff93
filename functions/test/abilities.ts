import type { Abilities } from '../src/live/abilities.ts';
import type { ModelProvider } from '../src/providers/types.ts';
import { AppError } from '../src/runtime/errors.ts';

/** Abilities of a turn whose model is this one, with nothing beside it: frames are sent as they are, nothing is known, spoken or kept. */
export function abilitiesWith(model: ModelProvider, parts: Partial<Abilities> = {}): Abilities {
  return {
    model: () => Promise.resolve(model),
    see: (frame) => Promise.resolve({ frame, size: { width: 640, height: 360 }, fingerprint: 'f' }),
    background: () => Promise.resolve({ history: [], notes: [], degradations: [] }),
    callTool: () => Promise.resolve({ error: 'There is no such function.' }),
    speak: () => Promise.reject(new AppError('unavailable', 'There is no voice.', { reason: 'provider_unavailable' })),
    remember: () => Promise.resolve(),
    summarize: () => Promise.resolve(),
    keep: () => Promise.resolve([]),
    report: () => Promise.resolve(),
    ...parts,
  };
}
