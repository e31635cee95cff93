import type { AppError } from '../../runtime/errors.ts';
import { abortFailure, vendorDown } from '../failures.ts';
import { wavLoudness } from '../media/media.ts';
import { readScene, type Scene } from '../media/scene.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../types.ts';
import { charactersIn, estimateUsage } from '../usage.ts';

/** Knobs for tests: how slow the provider is and when it fails. */
export interface OfflineOptions {
  /** Milliseconds before the first chunk. */
  delayMs?: number;
  /** Milliseconds before every further chunk. */
  chunkDelayMs?: number;
  /** Thrown instead of (or, with failAfterChunks, after part of) the reply. */
  failWith?: AppError;
  /** Chunks sent before the failure; without failWith it fails as `unavailable`. */
  failAfterChunks?: number;
}

/**
 * The provider that needs no key and no network. It is no language model and says so: every reply begins with
 * `[offline]` and reports what arithmetic finds in the real pixels and samples. The same input gives the same reply.
 */
export function offlineProvider(options: OfflineOptions = {}): ModelProvider {
  return { name: 'offline', generate: (request) => answer(request, options) };
}

async function* answer(request: ModelRequest, options: OfflineOptions): AsyncGenerator<ModelEvent, void> {
  const { signal } = request;
  const failure = options.failWith ?? vendorDown('offline');
  const failAfter = options.failAfterChunks ?? (options.failWith ? 0 : Infinity);
  await pause(options.delayMs ?? 0, signal);
  const scene = request.frame && (await readScene(request.frame.bytes, { before: request.sceneBefore }));
  const full = compose(request, scene);
  const reply = [...full].slice(0, charactersIn(request.maxOutputTokens)).join('');
  const chunks = reply.match(/\S+\s*(?:\S+\s*){0,4}/g) ?? [];
  for (const [index, text] of chunks.entries()) {
    if (index >= failAfter) throw failure;
    await pause(index > 0 ? (options.chunkDelayMs ?? 0) : 0, signal);
    yield { type: 'text', text };
  }
  if (failAfter !== Infinity) throw failure; // a reply shorter than failAfterChunks fails all the same
  // The code point cut above may be longer in UTF-16 units than the bound, the count may not.
  const usage = estimateUsage(request, reply);
  usage.outputTokens = Math.min(usage.outputTokens, Math.max(0, Math.floor(request.maxOutputTokens)));
  yield { type: 'done', outcome: reply === full ? 'complete' : 'length', usage, ...(scene && { scene: scene.fingerprint }) };
}

/** Waits `ms`, or until the signal ends it. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw abortFailure('offline', signal);
  if (ms <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(abortFailure('offline', signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function compose({ instruction, audio }: ModelRequest, scene: Scene | undefined): string {
  const sentences = ['[offline] No model is connected, so I can only measure.'];
  const asks = instruction !== undefined && /\b(what|describe|see|look|show)/i.test(instruction);
  if (instruction && !asks) sentences.push(`You said: "${shorten(instruction)}". I note it, but cannot act on it.`);
  if (scene) sentences.push(...describeScene(scene));
  else if (asks) sentences.push('You ask what I see, but no frame came with it.');
  if (audio) sentences.push(describeSound(audio));
  return sentences.join(' ');
}

function describeScene({ size, brightness, colours, contrast, detail, motion }: Scene): string[] {
  const light = brightness < 0.25 ? 'dark' : brightness < 0.6 ? 'medium bright' : 'bright';
  const named = colours.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  return [
    `I see a ${light} picture of ${size.width} by ${size.height} pixels, brightness ${percent(brightness)}.`,
    named ? `Its main colours are ${named}.` : 'No colour stands out.',
    `Contrast ${percent(contrast)}, fine detail ${percent(detail)}.`,
    motion === null ? 'It is the first frame, so there is no motion to report.'
      : motion.region === null ? 'Nothing moved since the frame before.'
        : `Since the frame before ${percent(motion.amount)} of it moved, mostly at the ${motion.region}.`,
  ];
}

function describeSound({ bytes, seconds }: NonNullable<ModelRequest['audio']>): string {
  const loudness = wavLoudness(bytes);
  const level = loudness === null ? 'its loudness is not readable without a decoder' : `loudness ${Math.round(loudness)} dBFS`;
  return `I hear ${Math.round(seconds * 10) / 10} seconds of sound, ${level}.`;
}

const longestQuote = 80;

function shorten(text: string): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length > longestQuote ? `${characters.slice(0, longestQuote).join('')}…` : characters.join('');
}
