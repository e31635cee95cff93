import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest } from '../../src/providers/types.ts';
import { textTokens } from '../../src/providers/usage.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { after } from '../../src/runtime/system.ts';

/** How the model behaves in one turn. */
export const behaviours = ['answers', 'does not say what it used', 'fails at once', 'breaks off', 'hangs', 'hangs in the middle', 'ignores being stopped', 'talks without end', 'claims too much'] as const;
export type Behaviour = (typeof behaviours)[number];

const text = (piece: string): ModelEvent => ({ type: 'text', text: piece });

/** A model that behaves like this, in virtual time. */
export function fakeProvider(behaviour: Behaviour): ModelProvider {
  return { name: 'offline', generate: (request) => generate(behaviour, request) };
}

async function* generate(behaviour: Behaviour, request: ModelRequest): AsyncGenerator<ModelEvent> {
  const { signal } = request;
  const usage = { ...noUsage, textInputTokens: 100, imageInputTokens: request.frame ? 258 : 0, outputTokens: 20 };
  await pause(300, behaviour === 'ignores being stopped' ? null : signal);
  switch (behaviour) {
    case 'fails at once':
      throw new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });
    case 'hangs':
      return await pause(10 * 60_000, signal) as never;
    case 'breaks off':
      yield text('Well, ');
      throw new AppError('unavailable', 'The model broke off.', { reason: 'provider_unavailable' });
    case 'hangs in the middle':
      yield text('Let me think. ');
      return await pause(10 * 60_000, signal) as never;
    case 'ignores being stopped':
      yield text('Left, ');
      await pause(90_000, null);
      yield text('then right.');
      yield { type: 'done', outcome: 'complete', usage };
      return;
    case 'talks without end':
      for (let piece = 0; piece < 400; piece++) {
        yield text('and on and on it goes '.repeat(4));
        if (signal.aborted) throw stopped(signal);
      }
      yield { type: 'done', outcome: 'length', usage: { ...usage, outputTokens: textTokens('x'.repeat(400 * 88)) } };
      return;
    case 'claims too much':
      yield text('Enemy ahead.');
      yield { type: 'done', outcome: 'complete', usage: { ...usage, textInputTokens: 10_000_000, outputTokens: 10_000_000 } };
      return;
    case 'does not say what it used':
      yield text('Enemy ahead.');
      yield { type: 'done', outcome: 'complete', usage, unreported: true };
      return;
    case 'answers':
      yield text('Enemy ');
      await pause(200, signal);
      yield text('ahead.');
      yield { type: 'done', outcome: 'complete', usage };
      return;
  }
}

/** What the adapters of real vendors throw when they are stopped. */
function stopped({ reason }: AbortSignal): AppError {
  return reason instanceof AppError ? reason : new AppError('unavailable', 'The call was stopped.', { reason: 'provider_unavailable' });
}

/** Waits in virtual time; ends with the signal's reason when it is aborted. */
function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(stopped(signal!));
    if (signal?.aborted) return stop();
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      stop();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
