import { imageSize, type ImageSize } from './media/media.ts';
import type { Media, ModelRequest, Usage } from './types.ts';

/** No model reads or writes more than this in one call; a higher count is a vendor's mistake and is cut to it. */
export const mostTokens = 10_000_000;

// Rules of the Gemini API, https://ai.google.dev/gemini-api/docs/tokens: about 4 characters are one token, a
// picture is 258 tokens up to 384 pixels a side and 258 per tile of 768 pixels beyond, a second of sound is 32.
const charactersPerToken = 4;
const tokensPerTile = 258;
const oneTileSide = 384;
const tileSide = 768;
/** Larger pictures are scaled down to 3072 pixels a side first, so this is the most that one can count. */
const mostTiles = 16;
const audioTokensPerSecond = 32;

/** Most tokens that one picture can count. */
export const mostImageTokens = mostTiles * tokensPerTile;

/** Estimated tokens of a text. */
export function textTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** Most characters that `tokens` tokens hold by the same rule. */
export function charactersIn(tokens: number): number {
  return Math.max(0, Math.floor(tokens)) * charactersPerToken;
}

/** Estimated tokens of a picture of this size. */
export function imageTokens({ width, height }: ImageSize): number {
  if (width <= oneTileSide && height <= oneTileSide) return tokensPerTile;
  return Math.min(mostTiles, Math.ceil(width / tileSide) * Math.ceil(height / tileSide)) * tokensPerTile;
}

/** Estimated tokens of a sound of this many seconds. */
export function audioTokens(seconds: number): number {
  return Math.ceil(seconds * audioTokensPerSecond);
}

function frameTokens({ bytes, mime }: Media): number {
  try {
    return imageTokens(imageSize(bytes, mime));
  } catch {
    return tokensPerTile; // An estimate must not fail a call: what cannot be measured counts as one tile.
  }
}

/**
 * Usage of a call by the rules above, without a vendor's word: what `offline` reports, what a vendor that reports
 * nothing is taken to have used, and the input part of a call that was cut off.
 *
 * @param reply Text generated so far.
 */
export function estimateUsage(request: ModelRequest, reply: string): Usage {
  return {
    textInputTokens: textTokens(textOf(request)),
    imageInputTokens: request.frame ? frameTokens(request.frame) : 0,
    audioInputTokens: request.audio ? audioTokens(request.audio.seconds) : 0,
    cachedInputTokens: 0,
    outputTokens: textTokens(reply),
    reasoningTokens: 0,
  };
}

/** All text that the model reads. */
function textOf({ systemPrompt, instruction = '', history = [], tools = [], rounds = [] }: ModelRequest): string {
  return [
    systemPrompt,
    instruction,
    ...history.flatMap((turn) => [turn.instruction, turn.reply]),
    ...(tools.length === 0 ? [] : [JSON.stringify(tools)]),
    ...rounds.flatMap(({ text, calls, results }) => [text, ...calls.map(({ name, args }) => JSON.stringify([name, args])), JSON.stringify(results)]),
  ].join('');
}

/** Counts as a vendor reports them, already read with tokenCount; undefined where it reports nothing usable. */
export interface VendorCounts {
  /** All input, cached part included. */
  input?: number | undefined;
  image?: number | undefined;
  audio?: number | undefined;
  /** Part of `input` that came from the vendor's cache. */
  cached?: number | undefined;
  /** Visible output, without reasoning. */
  output?: number | undefined;
  reasoning?: number | undefined;
}

/** A vendor's count as a whole number from 0 to mostTokens; undefined when it is no number, not finite or negative. */
export function tokenCount(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined;
  return Math.min(mostTokens, Math.round(value));
}

/**
 * A vendor's counts as our Usage. Text, image and audio together are the whole input; cached input is the part of
 * them that came from the vendor's cache, as both vendors report it, not a fourth summand. Reasoning is not part of
 * output: the two add up to what was generated. What the vendor leaves out is estimated; an input total without a
 * split is split by the estimates, the rest going to the picture.
 */
export function usageFrom(counts: VendorCounts, request: ModelRequest, reply: string): Usage {
  const estimate = estimateUsage(request, reply);
  const total = counts.input ?? (counts.image ?? estimate.imageInputTokens) + (counts.audio ?? estimate.audioInputTokens) + estimate.textInputTokens;
  const audio = Math.min(total, counts.audio ?? estimate.audioInputTokens);
  const rest = request.frame ? Math.max(0, total - audio - estimate.textInputTokens) : 0;
  const image = Math.min(total - audio, counts.image ?? rest);
  return {
    textInputTokens: total - audio - image,
    imageInputTokens: image,
    audioInputTokens: audio,
    cachedInputTokens: Math.min(total, counts.cached ?? 0),
    outputTokens: counts.output ?? estimate.outputTokens,
    reasoningTokens: counts.reasoning ?? 0,
  };
}

/** Whether a vendor said nothing usable about what a call used, as `done` events carry it. */
export function unreported({ input, output, reasoning }: VendorCounts): { unreported?: true } {
  return input === undefined && output === undefined && !reasoning ? { unreported: true } : {};
}
