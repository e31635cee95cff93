import type { Usage } from '../providers/types.ts';
import { audioTokens, mostImageTokens } from '../providers/usage.ts';
import type { DofRates } from './schema.ts';

/** How a frame is seen: the key of its price. */
export type VisionMode = Exclude<keyof DofRates['frame'], 'skipped'>;

/** What a turn sends that has a price. */
export interface PricedInput {
  /** Vision mode of the frame; null without one. */
  frame: VisionMode | null;
  instruction: boolean;
  /** Whole seconds of audio; 0 for none. */
  audioSeconds: number;
  /** Most characters of text that the model reads over all of its calls, prompts included; bounds the input tokens of the estimate. */
  textCharacters: number;
  /** How often the model may be called at most, each time with the frame and the audio: once, and again after every round of function calls. */
  modelCalls: number;
  /** Whether the reply is spoken aloud. */
  spoken: boolean;
}

/** Most output tokens a turn may generate; the estimate is priced with it. */
export const maxOutputTokens = 512;
/** Fewest output tokens that a turn must be able to pay for: below that a reply says nothing. */
export const leastOutputTokens = 32;
/** Most characters that one token of a reply becomes; bounds what can be spoken. */
const charactersPerToken = 8;

/** DOFs for what was sent, whatever the model answers: the part that is charged when the usage is unknown. */
export function inputPrice(rates: DofRates, { frame, instruction, audioSeconds }: PricedInput): number {
  const price = (frame ? rates.frame[frame] ?? 0 : 0) + (instruction ? rates.instruction : 0) + Math.ceil(audioSeconds) * rates.audioSecond;
  return Math.max(1, price);
}

/** DOFs that a turn can cost at most; held before the provider is called. */
export function estimatePrice(rates: DofRates, input: PricedInput): number {
  return priceUpTo(rates, input, maxOutputTokens);
}

/** The fewest DOFs with which a turn may begin: they pay for all of its input and the beginning of a reply. */
export function leastPrice(rates: DofRates, input: PricedInput): number {
  return priceUpTo(rates, input, leastOutputTokens);
}

function priceUpTo(rates: DofRates, input: PricedInput, outputTokens: number): number {
  const { text, image, audio, cached, output, reasoning } = rates.per1kTokens;
  const inputTokens = Math.ceil(input.textCharacters / 2) * Math.max(text, cached)
    + (input.frame ? mostImageTokens : 0) * input.modelCalls * Math.max(image, cached)
    + audioTokens(Math.ceil(input.audioSeconds)) * input.modelCalls * Math.max(audio, cached);
  const spoken = input.spoken ? outputTokens * charactersPerToken * rates.per1kSpokenCharacters : 0;
  return inputPrice(rates, input) + Math.ceil((inputTokens + outputTokens * Math.max(output, reasoning) + spoken) / 1000);
}

/** Usage as it is priced: what the model reports, and the characters that are spoken aloud. */
export type PricedUsage = Usage & { spokenCharacters: number };

/** DOFs for a turn with known usage: never more than was held for it, never nothing for paid work. */
export function actualPrice(rates: DofRates, input: PricedInput, usage: PricedUsage, held: number): number {
  return Math.min(held, inputPrice(rates, input) + usagePrice(rates, usage));
}

/** DOFs for what the model reports beside the price of the input; cached tokens are taken out of each kind in proportion. */
export function usagePrice(rates: DofRates, usage: PricedUsage): number {
  const { text, image, audio, cached, output, reasoning } = rates.per1kTokens;
  const read = usage.textInputTokens + usage.imageInputTokens + usage.audioInputTokens;
  const fromCache = Math.min(read, usage.cachedInputTokens);
  const fresh = read === 0 ? 0 : (read - fromCache) / read;
  const tokens = (usage.textInputTokens * text + usage.imageInputTokens * image + usage.audioInputTokens * audio) * fresh
    + fromCache * cached + usage.outputTokens * output + usage.reasoningTokens * reasoning;
  const price = (tokens + usage.spokenCharacters * rates.per1kSpokenCharacters) / 1000;
  // Rounded first: a sum like 3.0000000000000004 must not become 4.
  return Math.ceil(Number(price.toFixed(6)));
}
