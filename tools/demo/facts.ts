/** Facts of a demo run, as the client app, the listener and Pub/Sub got to know them. */

/** An agent as its owner sees it, with the product it is an instance of. */
export interface AgentFacts {
  agentInstanceId: string;
  name: string;
  productId: string;
  provider: string;
  rank: string;
  currentDOFs: number;
  availableDOFs: number;
}

/** One turn of the session: what was sent, and what came back. */
export interface TurnFacts {
  kind: 'frame' | 'instruction';
  requestId: string;
  image: string;
  instruction: string | null;
  turnId: string;
  reply: string;
  provider: string;
  outcome: string;
  costDOFs: number;
  estimated: boolean;
  consumedDOFs: number;
  /** Length of the spoken reply; null when it is text only. */
  spokenSeconds: number | null;
  /** From the call to the first words of the reply; null for a reply without words. */
  firstWordsMs: number | null;
  ms: number;
  /** Attempts beyond the first. */
  retries: number;
}

/** DOF meter of a session as the Realtime Database shows it. */
export interface Meter {
  starting: number;
  consumed: number;
  remaining: number;
}

/** Everything that the listeners in the Realtime Database delivered. */
export interface Heard {
  updates: number;
  /** Every distinct state of the meter, in order. */
  meter: Meter[];
  status: string | null;
  closeReason: string | null;
  /** Reply text by turn, put together from the session's stream. */
  replies: Record<string, string>;
}

/** What happened, from signing in to the settlement. */
export interface Play {
  player: { uid: string; email: string; displayName: string };
  agents: AgentFacts[];
  agent: AgentFacts;
  /** `remainingDOFs`: what it may spend in all. */
  session: { sessionId: string; livePath: string; streamsPath: string; databaseUrl: string; remainingDOFs: number };
  turns: TurnFacts[];
  heard: Heard;
  ended: { status: string; closeReason: string | null; consumedDOFs: number };
  /** The balance that the player is shown afterwards. */
  balanceAfter: number;
  timings: PlayTimings;
}

/** Milliseconds of the steps around the turns. */
export interface PlayTimings {
  signInMs: number;
  startSessionMs: number;
  turnsMs: number;
  endSessionMs: number;
  /** From the session's end until the client's listener on its document sees it settled. */
  settleLagMs: number;
}

/** An event that arrived through Pub/Sub. */
export interface ReceivedEvent {
  id: string;
  type: string;
  topic: string;
  subject: string;
  sequence: number;
  /** From the commit of the change to the arrival. */
  lagMs: number;
}
