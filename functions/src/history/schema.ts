/** A turn of a session's conversation, as its members may read it again. */
export interface TurnDoc {
  turnId: string;
  /** The member who spoke. */
  by: string;
  /** ms since the epoch when it was answered; turns of a session are ordered by it, then by turnId. */
  at: number;
  /** What was said; `[sound]` where it came as sound. */
  said: string;
  reply: string;
  costDOFs: number;
}

/** sessions/{sessionId}/turns/{page}: turns of a session whose live state is gone, oldest first. */
export interface TurnPageDoc {
  turns: TurnDoc[];
  /** `at` of the last turn: pages are read newest first by it. */
  lastAt: number;
}
