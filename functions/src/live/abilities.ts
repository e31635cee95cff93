import type { VisionMode } from '../credits/prices.ts';
import type { Fold } from '../history/schema.ts';
import type { Degradation, Exchange, Media, ModelProvider, Speech, ToolCall } from '../providers/types.ts';
import type { SeenFrame } from '../providers/media/vision.ts';
import type { KeptMedia } from '../media/schema.ts';
import type { SessionConfig } from '../sessions/schema.ts';

/** Which turn of which agent. */
export interface TurnIdentity {
  sessionId: string;
  turnId: string;
  ownerId: string;
  agentInstanceId: string;
  config: SessionConfig;
}

/** The turn that an ability is used in, and its time. */
export interface TurnAbout extends TurnIdentity {
  /** ms since the epoch when the turn must be over. */
  deadlineAt: number;
  /** Aborted then, when the caller leaves or the session closes. */
  signal: AbortSignal;
}

/** What a model is told beside its prompt. */
export interface Background {
  /** Earlier turns, oldest first. */
  history: Exchange[];
  /** The summary of the turns before those, what the agent remembers, and the objective. */
  notes: string[];
  degradations: Degradation[];
  /** What waits to become part of the summary; absent while that is too little. */
  fold?: Fold;
}

/** What a turn needs of the world beside its session's meter. */
export interface Abilities {
  /** The model that answers. Throws AppError as the providers do. */
  model(about: TurnAbout, hasFrame: boolean): Promise<ModelProvider>;
  /** Decodes a frame and scales it for its mode. Throws AppError `invalid-argument` (bad_media). */
  see(frame: Media, options: { mode: VisionMode; maxPixels: number }): Promise<SeenFrame>;
  /** What the model should know for this instruction. Never throws. */
  background(about: TurnAbout, instruction: string | undefined): Promise<Background>;
  /** Carries out a function call. Never throws. */
  callTool(about: TurnAbout, call: ToolCall): Promise<Record<string, unknown>>;
  /** Speaks a reply; `degradations` names another voice that stepped in. Throws AppError as the providers do. */
  speak(about: TurnAbout, text: string): Promise<{ speech: Speech; degradations: Degradation[] }>;
  /** Keeps a turn for later ones. Never throws. */
  remember(about: TurnIdentity, exchange: Exchange): Promise<void>;
  /** Folds turns that models are no longer told of into the session's summary. Takes its time, at most that of the turn; never throws. */
  summarize(about: TurnAbout, fold: Fold): Promise<void>;
  /** Keeps frame and sound of a turn for the members of its session, and answers what was kept; `by` took the turn. Never throws. */
  keep(about: TurnIdentity, by: string, media: Media[]): Promise<KeptMedia[]>;
  /** Publishes what a turn had to do without. Never throws. */
  report(about: TurnIdentity, degradations: Degradation[]): Promise<void>;
}
