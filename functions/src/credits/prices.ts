import type { Usage } from '../providers/types.ts';
import { audioTokens, mostImageTokens } from '../providers/usage.ts';
import type { DofRates } from './schema.ts';

/** What a turn sends that has a price. */
export interface PricedInput {
  frame: boolean;
  highSpeed: boolean;
  instruction: boolean;
  /** Whole seconds of audio; 0 for none. */
  audioSeconds: number;
  /** Characters of text sent to the model, prompt included; bounds the input tokens of the estimate. */
  textCharacters: number;
}

/** Most output tokens a turn may generate; the estimate is priced with it. */
export const maxOutputTokens = 512;

/** DOFs for what was sent, whatever the model answers: the part that is charged when the usage is unknown. */
export function inputPrice(rates: DofRates, input: PricedInput): number {
  const frame = input.frame ? (input.highSpeed ? rates.highSpeedFrame : rates.frame) : 0;
  const instruction = input.instruction ? rates.instruction : 0;
  return atLeastOne(frame + instruction + Math.ceil(input.audioSeconds) * rates.audioSecond);
}

/** DOFs that a turn can cost at most; held before the provider is called. */
export function estimatePrice(rates: DofRates, input: PricedInput): number {
  const inputTokens = Math.ceil(input.textCharacters / 2)
    + (input.frame ? mostImageTokens : 0)
    + audioTokens(Math.ceil(input.audioSeconds));
  return inputPrice(rates, input) + tokenPrice(rates, inputTokens, maxOutputTokens);
}

/** DOFs for a turn with known usage; never more than was held for it, never nothing for paid work. */
export function actualPrice(rates: DofRates, input: PricedInput, usage: Usage, held: number): number {
  const inputTokens = usage.textInputTokens + usage.imageInputTokens + usage.audioInputTokens;
  const price = inputPrice(rates, input) + tokenPrice(rates, inputTokens, usage.outputTokens + usage.reasoningTokens);
  return Math.min(held, price);
}

function tokenPrice(rates: DofRates, inputTokens: number, outputTokens: number): number {
  return Math.ceil((inputTokens * rates.inputPer1kTokens + outputTokens * rates.outputPer1kTokens) / 1000);
}

function atLeastOne(dofs: number): number {
  return Math.max(1, dofs);
}
