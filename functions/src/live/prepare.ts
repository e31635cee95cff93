import { createHash } from 'node:crypto';
import { estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, type PricedInput, type VisionMode } from '../credits/prices.ts';
import type { UsageLine } from '../credits/schema.ts';
import { badMedia } from '../providers/failures.ts';
import { audioSeconds, decodeBase64, imageSize, sniffAudio, sniffImage } from '../providers/media/media.ts';
import type { ModelRequest, ToolDeclaration } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { systemPrompt } from '../sessions/unwrap.ts';
import { toolsOf } from '../toolkit/toolkit.ts';
import { maxToolRounds, mostCharacters } from './bounds.ts';
import type { ProcessFrameInput } from './schema.ts';

/** A request that has passed every check that needs no decoding, with its prices. */
export interface PreparedTurn {
  /** Fingerprint of the body: the same for the same payload. */
  hash: string;
  model: Omit<ModelRequest, 'signal' | 'sceneBefore' | 'history' | 'rounds'>;
  /** Functions that the model may call when what is held pays for it. */
  tools: ToolDeclaration[];
  /** Whether it is part of a conversation, whose earlier turns the model should know: it has an instruction or audio. */
  conversation: boolean;
  /** Whether it may be answered without a model when the frame has not changed. */
  skippable: boolean;
  priced: PricedInput;
  /** DOFs to hold: what the turn can cost at most. */
  held: number;
  /** With fewer DOFs than `held` a turn goes without tools, conversation, memory and speech: what it can cost at most then, how it is priced, and the least with which it may begin. */
  bare: { priced: PricedInput; held: number; least: number; leastOutputTokens: number };
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
  const { limits, dofRates } = config;
  const frame = input.frameData === undefined ? undefined : toFrame(input.frameData, limits.maxFrameBytes, limits.maxFramePixels);
  const audio = input.audioData === undefined ? undefined : toAudio(input.audioData, limits.maxAudioBytes);
  // Half of a character, such as a client that cuts texts leaves behind, is refused by some vendors with the whole request.
  const instruction = input.instruction?.toWellFormed();
  if (instruction !== undefined && instruction.length > limits.maxInstructionChars) throw badInput(`The instruction is longer than ${limits.maxInstructionChars} characters.`);
  const conversation = instruction !== undefined || audio !== undefined;
  const tools = conversation ? toolsOf(config) : [];
  const sent = { frame: frame === undefined ? null : visionMode(input.visionMode, config), instruction: instruction !== undefined, audioSeconds: audio?.seconds ?? 0 };
  const prompt = systemPrompt(config);
  const reads = { prompt, instruction, maxOutputTokens };
  const bare: PricedInput = { ...sent, textCharacters: mostCharacters({ ...reads, conversation: false, notes: false, tools: [] }), modelCalls: 1, spoken: false };
  const priced: PricedInput = {
    ...sent,
    textCharacters: mostCharacters({ ...reads, prompt: systemPrompt(config, tools.map(({ name }) => name)), conversation, notes: conversation && (config.hasMemory || config.toolkit.includes('setObjective')), tools }),
    modelCalls: tools.length === 0 ? 1 : 1 + maxToolRounds,
    spoken: input.speak !== false && isSpoken(config, conversation),
  };
  return {
    hash: fingerprint(input),
    model: {
      model: frame ? config.modelRouting.vision : config.modelRouting.chat,
      systemPrompt: prompt,
      maxOutputTokens,
      ...(config.modelRouting.stream === false ? { stream: false } : {}),
      ...(instruction === undefined ? {} : { instruction }),
      ...(frame === undefined ? {} : { frame }),
      ...(audio === undefined ? {} : { audio }),
    },
    tools,
    conversation,
    skippable: frame !== undefined && !conversation && input.visionMode !== 'detail' && config.skipUnchangedBelow !== null && dofRates.frame.skipped !== undefined,
    priced,
    held: estimatePrice(dofRates, priced),
    bare: { priced: bare, held: estimatePrice(dofRates, bare), least: leastPrice(dofRates, bare), leastOutputTokens },
    about: sent,
    inputPrice: inputPrice(dofRates, priced),
  };
}
/** The mode and price of a frame. */
function visionMode(wanted: ProcessFrameInput['visionMode'], { highSpeedMode, dofRates }: SessionConfig): VisionMode {
  if (wanted === 'highSpeed' && highSpeedMode === null) throw badInput('This agent has no high-speed vision. Use visionMode "standard", or leave it out.');
  if (wanted === 'detail' && dofRates.frame.detail === undefined) throw badInput('This agent has no detail vision. Use visionMode "standard", or leave it out.');
  return wanted === 'standard' || wanted === 'detail' ? wanted : highSpeedMode ?? 'standard';
}

/** In interactive mode what answers the player is spoken, in commentary mode what is said of a frame alone. */
function isSpoken({ interactiveVoiceMode, commentaryMode }: SessionConfig, conversation: boolean): boolean {
  return conversation ? interactiveVoiceMode : commentaryMode;
}

function toFrame(data: string, maxBytes: number, maxPixels: number): NonNullable<ModelRequest['frame']> {
  const bytes = decodeBase64(data, maxBytes, 'frameData');
  const mime = sniffImage(bytes);
  if (mime === null) throw badMedia('frameData is not a JPEG, PNG or WebP image.');
  imageSize(bytes, mime, maxPixels);
  return { mime, bytes };
}

function toAudio(data: string, maxBytes: number): NonNullable<ModelRequest['audio']> {
  const bytes = decodeBase64(data, maxBytes, 'audioData');
  const mime = sniffAudio(bytes);
  if (mime === null) throw badMedia('audioData is not WAV, MP3, OGG, FLAC, WebM or M4A audio.');
  const seconds = audioSeconds(bytes, mime);
  if (seconds === 0) throw badMedia('audioData contains no sound.');
  return { mime, bytes, seconds };
}

function badInput(message: string): AppError {
  return new AppError('invalid-argument', message, { reason: 'bad_input' });
}

function fingerprint({ frameData, audioData, instruction, visionMode, speak }: ProcessFrameInput): string {
  const hash = createHash('sha256');
  // In two pieces: together they would be another copy of the whole text.
  for (const part of [frameData, audioData, instruction, visionMode, speak?.toString()]) hash.update(part === undefined ? '-' : `${part.length}:`).update(part ?? '');
  return hash.digest('base64url');
}
