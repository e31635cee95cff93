import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import type { Client, Input, Output } from './client.ts';
import type { AgentFacts, Play, TurnFacts } from './facts.ts';
import type { Image } from './images.ts';
import { listen } from './listener.ts';
import type { Narrator } from './narrator.ts';
import type { Provider } from './options.ts';
import { until } from './wait.ts';

/** What is played. */
export interface Plan {
  account: { email: string; password: string };
  frames: Image[];
  provider: Provider | undefined;
  /** Called with the chosen agent before its balance changes. */
  beforeSession: (uid: string, agent: AgentFacts) => Promise<void>;
  signal: AbortSignal;
}

/** What the player says, after this many frames. */
const SPOKEN = new Map([
  [10, 'Hey, what do you see right now?'],
  [20, 'Okay, and is anything coming at me? Describe it.'],
  [30, 'Nice one. Give me a last tip, then say goodbye!'],
]);
const LIVE_TIMEOUT_MS = 10_000;
const SETTLE_TIMEOUT_MS = 60_000;
const RETRIES = 4;

/** Runs a step and its clock; an error of the client SDK becomes one line that says which step it was. */
async function step<T>(name: string, run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const begun = performance.now();
  try {
    return { value: await run(), ms: Math.round(performance.now() - begun) };
  } catch (error) {
    // The SDK adds the HTTP status to the server's message, and nothing better than 0 to a stream's.
    if (error instanceof Error && error.name === 'FirebaseError') throw new UserError(`${name}: ${error.message.replace(/ \[\d*\]$/, '')}`);
    throw error;
  }
}

/** Plays one session as a client app does, from signing in until it is settled. */
export async function play(client: Client, plan: Plan, narrator: Narrator): Promise<Play> {
  const { account: { email, password }, frames, signal } = plan;
  const signedIn = await step('Signing in', () => client.signIn(email, password));
  const { uid, displayName } = signedIn.value;
  const { value: agents } = await step('Listing the agents', () => listAgents(client));
  const agent = chooseAgent(agents, plan.provider);
  narrator.player({ email, displayName, agents, agent });
  await plan.beforeSession(uid, agent);

  const started = await step('Starting the session', () => client.call('startSession', { agentInstanceId: agent.agentInstanceId, gameContext: { platform: 'pc', gameId: 'demo' } }));
  const { sessionId, live, remainingDOFs } = started.value;
  const session = { sessionId, livePath: live.path, streamsPath: live.streamsPath, databaseUrl: live.databaseUrl, remainingDOFs };
  const listener = listen(client, live, (meter) => narrator.meter(meter));
  await heardWithin(() => listener.heard.meter.length > 0, `The listener on ${live.path} heard nothing`, listener.error);
  narrator.session(session);

  const turnsBegun = performance.now();
  const turns: TurnFacts[] = [];
  const turn = async (kind: TurnFacts['kind'], index: number, instruction: string | null) => {
    if (signal.aborted) throw new UserError('Stopped.');
    const image = frames[index]!;
    const requestId = `${kind}-${index + 1}`;
    narrator.turn({ kind, index, count: frames.length, instruction });
    const name = kind === 'frame' ? `Frame ${index + 1} (${image.name})` : `Instruction after frame ${index + 1}`;
    const input = { sessionId, requestId, frameData: image.base64, ...(instruction === null ? {} : { instruction }) };
    const { value } = await step(name, () => send(client, input, (text) => narrator.text(text)));
    // The meter is shown as the listener has it, so wait for what this turn cost.
    await heardWithin(() => (listener.heard.meter.at(-1)?.consumed ?? 0) >= value.consumedDOFs, `The listener did not hear of ${name}`, listener.error);
    const facts = { kind, image: image.name, instruction, ...value };
    turns.push(facts);
    narrator.answered(facts);
  };
  for (const index of frames.keys()) {
    await turn('frame', index, null);
    const instruction = SPOKEN.get(index + 1);
    if (instruction !== undefined) await turn('instruction', index, instruction);
  }
  const turnsMs = Math.round(performance.now() - turnsBegun);

  narrator.ending();
  const settled = watchSettlement(client, sessionId);
  const ended = await step('Ending the session', () => client.call('endSession', { sessionId }));
  const { value: settleLagMs } = await step('Waiting for the settlement', settled);
  await until(() => listener.heard.status === 'ended', LIVE_TIMEOUT_MS);
  const { value: after } = await step('Reading the balance', () => client.call('listMyAgents', {}));
  const { status, closeReason, consumedDOFs } = ended.value;
  return {
    player: { uid, email, displayName }, agents, agent, session, turns, heard: listener.heard,
    ended: { status, closeReason, consumedDOFs },
    balanceAfter: after.agents.find(({ agentInstanceId }) => agentInstanceId === agent.agentInstanceId)?.currentDOFs ?? NaN,
    timings: { signInMs: signedIn.ms, startSessionMs: started.ms, turnsMs, endSessionMs: ended.ms, settleLagMs },
  };
}

async function heardWithin(check: () => boolean, problem: string, error: () => Error | undefined): Promise<void> {
  if (await until(() => check() || error() !== undefined, LIVE_TIMEOUT_MS) && !error()) return;
  throw new UserError(`${problem}: ${error()?.message ?? `${LIVE_TIMEOUT_MS / 1000} s passed`}.`);
}

async function listAgents(client: Client): Promise<AgentFacts[]> {
  const { agents } = await client.call('listMyAgents', {});
  return Promise.all(agents.map(async ({ agentInstanceId, agentProductId, customName, currentDOFs, availableDOFs }) => {
    const product = await client.readProduct(agentProductId);
    return {
      agentInstanceId, productId: agentProductId, currentDOFs, availableDOFs,
      name: customName ?? product?.name ?? agentProductId, provider: product?.provider ?? 'unknown', rank: product?.rank ?? 'unknown',
    };
  }));
}

function chooseAgent(agents: AgentFacts[], provider: Provider | undefined): AgentFacts {
  const agent = agents.find((candidate) => candidate.availableDOFs > 0 && (provider === undefined || candidate.provider === provider));
  if (!agent) throw new UserError(`The player owns no agent${provider ? ` of ${provider}` : ''} with DOFs: check emulator-data/seed/users.json and run npm run seed:export.`);
  return agent;
}

type Answer = Omit<TurnFacts, 'kind' | 'image' | 'instruction'>;

/** One call of processFrame; a busy model is asked again under the same request id, which never charges twice. */
async function send(client: Client, input: Input<'processFrame'>, onText: (text: string) => void): Promise<Answer> {
  for (let retries = 0; ; retries++) {
    const begun = performance.now();
    let firstWordsMs: number | null = null;
    try {
      const answer: Output<'processFrame'> = await client.processFrame(input, (text) => {
        firstWordsMs ??= Math.round(performance.now() - begun);
        onText(text);
      });
      const { turnId, requestId, reply, provider, outcome, costDOFs, estimated, consumedDOFs, speech } = answer;
      return { turnId, requestId, reply, provider, outcome, costDOFs, estimated, consumedDOFs, spokenSeconds: speech?.seconds ?? null, firstWordsMs, ms: Math.round(performance.now() - begun), retries };
    } catch (error) {
      if ((error as { code?: string }).code !== 'functions/unavailable' || firstWordsMs !== null || retries === RETRIES) throw error;
      await delay(1_000 * 2 ** retries);
    }
  }
}

/**
 * Begins to listen to the session's document. The returned function waits until it says that all is settled, and
 * answers how long after the end that was.
 */
function watchSettlement(client: Client, sessionId: string): () => Promise<number> {
  let lagMs: number | undefined;
  let problem: Error | undefined;
  client.watchSession(sessionId, ({ settlement, endedAt }) => {
    if (settlement === 'done') lagMs ??= Date.now() - (endedAt?.toMillis() ?? NaN);
  }, (error) => {
    problem = error;
  });
  return async () => {
    await until(() => lagMs !== undefined || problem !== undefined, SETTLE_TIMEOUT_MS);
    if (problem) throw problem;
    if (lagMs === undefined) throw new UserError(`The session was not settled within ${SETTLE_TIMEOUT_MS / 1000} s.`);
    return lagMs;
  };
}
