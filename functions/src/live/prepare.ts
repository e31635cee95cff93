import { createHash } from 'node:crypto';
import { estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, type PricedInput } from '../credits/prices.ts';
import type { UsageLine } from '../credits/schema.ts';
import { audioSeconds, decodeBase64, imageSize, sniffAudio, sniffImage } from '../providers/media/media.ts';
import type { ModelRequest } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { systemPrompt } from '../sessions/unwrap.ts';
import type { ProcessFrameInput } from './schema.ts';

/** A request that has passed every check, with its prices. */
export interface PreparedTurn {
  /** Fingerprint of the body: the same for the same payload. */
  hash: string;
  model: Omit<ModelRequest, 'signal' | 'sceneBefore'>;
  priced: PricedInput;
  /** DOFs to hold: what the turn can cost at most. */
  held: number;
  /** The fewest DOFs with which the turn may begin, and the output tokens that they pay for. */
  least: number;
  leastOutputTokens: number;
  /** What is sent, as a receipt shows it. */
  about: UsageLine['input'];
  /** DOFs of the part that is sent. */
  inputPrice: number;
}

/**
 * Checks and prices a request without any I/O. Sizes are checked before decoding, types by magic bytes.
 * @throws AppError `invalid-argument` (bad_media, bad_input).
 */
export function prepareTurn(input: ProcessFrameInput, config: SessionConfig): PreparedTurn {
  const frame = input.frameData === undefined ? undefined : toFrame(input.frameData, config.limits.maxFrameBytes);
  const audio = input.audioData === undefined ? undefined : toAudio(input.audioData, config.limits.maxAudioBytes);
  const instruction = input.instruction;
  if (instruction !== undefined && instruction.length > config.limits.maxInstructionChars) {
    throw new AppError('invalid-argument', `The instruction is longer than ${config.limits.maxInstructionChars} characters.`, { reason: 'bad_input' });
  }
  const prompt = systemPrompt(config);
  const priced: PricedInput = {
    frame: frame === undefined ? null : config.highSpeedMode ?? 'standard',
    instruction: instruction !== undefined,
    audioSeconds: audio?.seconds ?? 0,
    textCharacters: prompt.length + (instruction?.length ?? 0),
    spoken: false,
  };
  return {
    hash: fingerprint(input),
    model: {
      model: frame ? config.modelRouting.vision : config.modelRouting.chat,
      systemPrompt: prompt,
      maxOutputTokens,
      ...(instruction === undefined ? {} : { instruction }),
      ...(frame === undefined ? {} : { frame }),
      ...(audio === undefined ? {} : { audio }),
    },
    priced,
    held: estimatePrice(config.dofRates, priced),
    least: leastPrice(config.dofRates, priced),
    leastOutputTokens,
    about: { frame: priced.frame, instruction: priced.instruction, audioSeconds: priced.audioSeconds },
    inputPrice: inputPrice(config.dofRates, priced),
  };
}

function toFrame(data: string, maxBytes: number): NonNullable<ModelRequest['frame']> {
  const bytes = decodeBase64(data, maxBytes);
  const mime = sniffImage(bytes);
  if (mime === null) throw badMedia('frameData is not a JPEG, PNG or WebP image.');
  imageSize(bytes, mime);
  return { mime, bytes };
}

function toAudio(data: string, maxBytes: number): NonNullable<ModelRequest['audio']> {
  const bytes = decodeBase64(data, maxBytes);
  const mime = sniffAudio(bytes);
  if (mime === null) throw badMedia('audioData is not WAV, MP3, OGG, FLAC, WebM or M4A audio.');
  const seconds = audioSeconds(bytes, mime);
  if (seconds === 0) throw badMedia('audioData contains no sound.');
  return { mime, bytes, seconds };
}

function badMedia(message: string): AppError {
  return new AppError('invalid-argument', message, { reason: 'bad_media' });
}

function fingerprint({ frameData, audioData, instruction }: ProcessFrameInput): string {
  const hash = createHash('sha256');
  for (const part of [frameData, audioData, instruction]) hash.update(part === undefined ? '-' : `${part.length}:${part}`);
  return hash.digest('base64url');
}
