import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bench, Benchmark, Figure, Goal } from './benchmark.ts';
import { excess, interleave, summary, timed, type Rounds, type Sample } from './method.ts';
import { instruction, type FrameProcessInput, type FrameProcessOutput } from './frame-process.ts';
import { frames, open, sendFrame } from './world/calls.ts';
import { startPeer, type Peer } from './world/peer.ts';
import { streaming } from './world/project.ts';
import { projectEnvironment } from './world/world.ts';

/** Runs turns without HTTP, in a process of its own. */
async function inProcess({ world, plan, signal }: Bench, memory: boolean): Promise<FrameProcessOutput> {
  const { suite, vendor } = await world.base();
  const project = await world.project();
  const [player] = await project.players(1);
  const child = fork(join(import.meta.dirname, 'frame-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...suite.env, ...projectEnvironment(project.id), FIREBASE_AUTH_EMULATOR_HOST: undefined, NODE_ENV: 'production', OPENAI_API_KEY: 'bench-key', OPENAI_BASE_URL: `${vendor.url}/v1` },
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    child.send({ plan, memory, uid: player!.uid, agentInstanceId: player!.agentInstanceId } satisfies FrameProcessInput);
    const ended = once(child, 'exit').then(() => { throw new Error('the process that runs turns has ended'); });
    ended.catch(() => undefined);
    const [output] = await Promise.race([once(child, 'message'), ended]) as [FrameProcessOutput];
    return output;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

type Kind = 'instruction' | 'frame';

/** What a client without a backend of ours would send to the vendor. */
function vendorBody(kind: Kind, index: number): string {
  const content = kind === 'instruction' ? instruction : [{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${frames[index % frames.length]}` } }];
  return JSON.stringify({ model: 'gpt-6-luna', messages: [{ role: 'system', content: 'You watch a game.' }, { role: 'user', content }], max_completion_tokens: 512 });
}

/** The same turns over HTTP: straight to the vendor, through us, and through the gateway where there is one. */
async function overHttp({ world, plan, signal }: Bench, peer: Peer | null): Promise<Record<string, Rounds>> {
  const project = await world.project();
  const { vendor } = await world.base();
  const { startSession, processFrame } = await world.instances(['startSession', 'processFrame']);
  const players = await project.players(2);
  const ours = await open(startSession, players[0]!);
  await project.configure(streaming);
  const streamed = await open(startSession, players[1]!);
  await project.configure((server) => server);
  const direct = (kind: Kind): Sample => (index) => timed(async () => {
    const answer = await fetch(`${vendor.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer bench-key' }, body: vendorBody(kind, index) });
    await answer.text();
  });
  const turn = (kind: Kind, session = ours): Sample => (index) => timed(() => sendFrame(processFrame, session, kind === 'instruction' ? { instruction } : { frameData: frames[index % frames.length] }));
  const through = (kind: Kind, gateway: Peer): Sample => (index) => timed(() => gateway.ask(vendorBody(kind, index)));
  const sides: Record<string, Sample> = {
    directInstruction: direct('instruction'), turnInstruction: turn('instruction'), ...(peer ? { peerInstruction: through('instruction', peer) } : {}),
    directFrame: direct('frame'), turnFrame: turn('frame'), streamedFrame: turn('frame', streamed), ...(peer ? { peerFrame: through('frame', peer) } : {}),
  };
  return interleave(sides, plan, signal);
}

const roundTrips = 'A gateway hands on what it gets; a turn also keeps books. In process it makes six exchanges with the Realtime Database SDK (record claimed, earlier turns read, lease taken, record closed, state shown, price posted), whose transactions and listeners take more time than all of our own code (see the profile). Over HTTP four of these wait for one another, each a round trip to the emulator: what `in process on the emulators` shows beside it is nearly all of it. Fewer would mean giving up that a repeated request is never charged twice, or that two turns never run at once.';
const decodes = 'A frame is decoded, stripped of everything but pixels, scaled and encoded again before it leaves (README, Models): that is work, not overhead of a gateway, which hands on what it gets.';

function goalOf(where: string, kind: Kind, limit: number, turn: Rounds, direct: Rounds, shortfall: string): Goal {
  return { what: `${where}, ${kind === 'frame' ? 'a frame alone' : 'an instruction'}: processFrame - direct call, p50`, limit, unit: ' ms', ...excess(turn, direct), shortfall };
}

/** P3: what a turn adds to the model's own time. */
export const frameOverhead: Benchmark = {
  id: 'P3',
  title: 'What processFrame adds to the call of the model',
  how: 'The model is a mock of OpenAI in a process of its own that answers at once. In process: `processFrame` (schema, request record, lease, prices, posting) minus the same call of the same adapter, on databases in memory; the same on the emulators stands beside it. Over HTTP: a signed-in caller to one instance under the functions framework, ID token verified, minus a bare request to the vendor; beside it `@portkey-ai/gateway` 1.15.2, a proxy without accounts, prices or state, in the same turns. All answers come in one piece: on this Node that gateway answers 500 to streamed requests. Where it does not, it waits 25 ms before the second piece.',
  async run(bench) {
    const { vendor } = await bench.world.base();
    const memory = await inProcess(bench, true);
    const emulators = await inProcess(bench, false);
    const peer = await startPeer(vendor.url, { install: !bench.quick }).catch((error: unknown) => (error as Error).message);
    if (typeof peer !== 'string') bench.world.onTidy(peer.stop);
    const http = await overHttp(bench, typeof peer === 'string' ? null : peer);
    const beside: Figure[] = [
      { what: 'in process on the emulators, an instruction', unit: ' ms', ...excess(emulators.turnInstruction, emulators.directInstruction) },
      { what: 'in process on the emulators, a frame alone', unit: ' ms', ...excess(emulators.turnFrame, emulators.directFrame) },
      ...(http['peerInstruction'] ? [
        { what: '@portkey-ai/gateway over HTTP, an instruction', unit: ' ms', ...excess(http['peerInstruction'], http['directInstruction']!) },
        { what: '@portkey-ai/gateway over HTTP, a frame alone', unit: ' ms', ...excess(http['peerFrame']!, http['directFrame']!) },
      ] : []),
      { what: 'over HTTP, a frame alone, the model asked with streaming', unit: ' ms', ...excess(http['streamedFrame']!, http['directFrame']!) },
      { what: 'direct call over HTTP, an instruction, p50', unit: ' ms', ...summary(http['directInstruction']!) },
      { what: 'processFrame over HTTP, an instruction, p50', unit: ' ms', ...summary(http['turnInstruction']!) },
    ];
    return {
      goals: [
        goalOf('in process', 'instruction', 1, memory.turnInstruction, memory.directInstruction, roundTrips),
        goalOf('in process', 'frame', 1, memory.turnFrame, memory.directFrame, decodes),
        goalOf('over HTTP', 'instruction', 2.4, http['turnInstruction']!, http['directInstruction']!, roundTrips),
        goalOf('over HTTP', 'frame', 2.4, http['turnFrame']!, http['directFrame']!, decodes),
      ],
      beside,
      notes: typeof peer === 'string' ? [`@portkey-ai/gateway was not measured: ${peer}`] : [],
    };
  },
};
