import type { ErrorReason } from '../runtime/errors.ts';

/** A model vendor, or `offline`: the one that needs no key and no network. */
export const providerNames = ['gemini', 'google', 'openai', 'offline'] as const;
export type ProviderName = (typeof providerNames)[number];

/** The providers that a product can name. */
export const vendorNames = ['gemini', 'google', 'openai'] as const;
export type VendorName = (typeof vendorNames)[number];

/** Bytes of one media item, already size-checked and with its type read from the magic bytes. */
export interface Media {
  mime: string;
  bytes: Buffer;
}

/** An earlier turn of the conversation, oldest first in a list. */
export interface Exchange {
  instruction: string;
  reply: string;
}

/** A function that the model may ask us to call. */
export interface ToolDeclaration {
  name: string;
  description: string;
  /** JSON schema (draft 2020-12, object) of the arguments. */
  parameters: Record<string, unknown>;
}

/** The model asks for a function call. Nothing of it is to be trusted: neither the name nor the arguments. */
export interface ToolCall {
  id: string;
  name: string;
  args: unknown;
  /** Opaque: Gemini wants it back with the result (https://ai.google.dev/gemini-api/docs/thought-signatures). */
  signature?: string;
}

/** One round of function calls within a turn: what the model asked for and what it got. */
export interface ToolRound {
  /** What the model said before it asked. */
  text: string;
  calls: ToolCall[];
  /** One for each call, in the same order. */
  results: Record<string, unknown>[];
}

/** What one turn asks of a model. At least one of `instruction`, `frame` and `audio` is set. */
export interface ModelRequest {
  model: string;
  /** Where the model is configured, if not at its usual place. */
  setting?: string;
  systemPrompt: string;
  /** Earlier turns, oldest first. */
  history?: Exchange[];
  instruction?: string;
  frame?: Media;
  audio?: Media & { seconds: number };
  /** Functions that the model may call. */
  tools?: ToolDeclaration[];
  /** Function calls of this turn so far; the model goes on after the last. */
  rounds?: ToolRound[];
  /** Upper bound for generated tokens; the estimated price relies on it. */
  maxOutputTokens: number;
  /** False: the vendor's call without streaming; the reply comes as one text. */
  stream?: boolean;
  /** Fingerprint of the frame before this one, see media/vision.ts. */
  sceneBefore?: string;
  /** Aborted when the deadline passes, the caller leaves or the session closes; must close the vendor connection. */
  signal: AbortSignal;
}

/** Normalised usage of one model call. Counts are whole and non-negative; absent means none. */
export interface Usage {
  textInputTokens: number;
  imageInputTokens: number;
  audioInputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

/** How a model call ended: `length` = cut at maxOutputTokens, `refused` = stopped by the vendor's safety rules. */
export type ModelOutcome = 'complete' | 'length' | 'refused';

/** A model at a provider. */
export interface ModelTarget {
  provider: ProviderName;
  model: string;
  /** Where it is configured, if not at its usual place; named in configuration errors. */
  setting?: string;
}

/** Something that a turn had to do without, or did in another way than configured. */
export interface Degradation {
  what: 'model' | 'speech' | 'memory' | 'context';
  /** `provider/model` that failed, where there is one. */
  from?: string;
  /** `provider/model` that stepped in. */
  to?: string;
  because: ErrorReason;
}

/**
 * A piece of reply text; function calls, after which the model waits for another request with their results; another
 * model that goes on in place of one that failed before any text; or the end. `unreported` when the vendor did not say
 * what it used and `usage` is an estimate. Exactly one `done` ends a successful stream, also after `calls`.
 */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'calls'; calls: ToolCall[] }
  | { type: 'degraded'; degradation: Degradation; answeredBy: ModelTarget }
  | { type: 'done'; outcome: ModelOutcome; usage: Usage; unreported?: true };

/**
 * A model that sees, listens and talks. `generate` throws AppError only: `invalid-argument` (bad_media) for input the
 * vendor cannot read, `failed-precondition` (provider_configuration) for a missing key or unknown model, `unavailable`
 * (provider_busy, provider_unavailable) and `deadline-exceeded` (provider_timeout) for the rest.
 */
export interface ModelProvider {
  readonly name: ProviderName;
  generate(request: ModelRequest): AsyncIterable<ModelEvent>;
}

/** A text to be spoken. */
export interface SpeechRequest {
  text: string;
  voice: string;
  /** Model that speaks, where the vendor has several (Gemini, OpenAI); Cloud Text-to-Speech has one per voice. */
  model: string;
  signal: AbortSignal;
}

/** A spoken text. */
export interface Speech {
  mime: 'audio/mpeg' | 'audio/wav';
  bytes: Buffer;
  seconds: number;
  /** Characters that the vendor bills. */
  characters: number;
}

/** A voice. `speak` throws AppError as ModelProvider.generate does. */
export interface SpeechProvider {
  readonly name: ProviderName;
  speak(request: SpeechRequest): Promise<Speech>;
}

/** Length of every embedding: what all our embedding models can be asked for, and what the vector index is built for. */
export const embeddingDimension = 768;

/** Texts to be embedded: for storing, or for finding what was stored. */
export interface EmbeddingRequest {
  model: string;
  texts: string[];
  purpose: 'document' | 'query';
  signal: AbortSignal;
}

/** Turns texts into vectors of `embeddingDimension` numbers and length 1. `embed` throws AppError as ModelProvider.generate does. */
export interface EmbeddingProvider {
  readonly name: ProviderName;
  embed(request: EmbeddingRequest): Promise<number[][]>;
}

/** What a client is to be allowed with its token. */
export interface VoiceTokenRequest {
  model: string;
  voice: string;
  systemPrompt: string;
  /** ms since the epoch: the vendor refuses the token afterwards, as far as it can be told to. */
  expiresAt: number;
  maxOutputTokens: number;
  signal: AbortSignal;
}

/** A short-lived token with which a client talks to a model directly. Shown to that client once, never stored or logged. */
export interface VoiceToken {
  token: string;
  /** Address of the vendor's live API. */
  url: string;
  /** ms since the epoch, as the vendor says. */
  expiresAt: number;
}

/** Hands out voice tokens. `mint` throws AppError as ModelProvider.generate does. */
export interface VoiceTokenProvider {
  readonly name: ProviderName;
  mint(request: VoiceTokenRequest): Promise<VoiceToken>;
}

/** A model as its vendor lists it. */
export interface ListedModel {
  name: string;
  /** ms since the epoch when the vendor shuts it down; null where it does not say. */
  shutdownAt: number | null;
}

/** Lists the models that our key can use. `list` throws AppError as ModelProvider.generate does. */
export interface ModelLister {
  readonly name: ProviderName;
  list(signal: AbortSignal): Promise<ListedModel[]>;
}

/** A usage record with nothing in it. */
export const noUsage: Usage = {
  textInputTokens: 0,
  imageInputTokens: 0,
  audioInputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};
