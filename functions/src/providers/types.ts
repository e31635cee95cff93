/** A model vendor, or `offline`: the one that needs no key and no network. */
export const providerNames = ['gemini', 'google', 'openai', 'offline'] as const;
export type ProviderName = (typeof providerNames)[number];

/** Bytes of one media item, already size-checked and with its type read from the magic bytes. */
export interface Media {
  mime: string;
  bytes: Buffer;
}

/** What one turn asks of a model. At least one of `instruction`, `frame` and `audio` is set. */
export interface ModelRequest {
  model: string;
  systemPrompt: string;
  instruction?: string;
  frame?: Media;
  audio?: Media & { seconds: number };
  /** Upper bound for generated tokens; the estimated price relies on it. */
  maxOutputTokens: number;
  /** Opaque fingerprint of the frame before this one, as the provider last returned it. */
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

/** A piece of reply text, or the end of the reply; `unreported` when the vendor did not say what it used and `usage` is an estimate. Exactly one `done` ends a successful stream. */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'done'; outcome: ModelOutcome; usage: Usage; unreported?: true; scene?: string };

/**
 * One vendor. `generate` throws AppError only: `invalid-argument` (bad_media) for input the vendor cannot read,
 * `failed-precondition` (provider_configuration) for a missing key or unknown model, `unavailable`
 * (provider_busy, provider_unavailable) and `deadline-exceeded` (provider_timeout) for the rest.
 */
export interface ModelProvider {
  readonly name: ProviderName;
  generate(request: ModelRequest): AsyncIterable<ModelEvent>;
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
