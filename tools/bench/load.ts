import sharp from 'sharp';
import { serve, type Served } from '../../functions/test/framework.ts';
import { FUNCTIONS } from '../paths.ts';
import { type Bench, type Benchmark } from './benchmark.ts';
import { interleave, median, ratio, spread, summary, type Plan, type Rounds, type Sample } from './method.ts';
import { buildBaseline } from './world/build.ts';
import { open, sendFrame } from './world/calls.ts';
import { memoryOf } from './world/memory.ts';
import { deployedEnvironment, type World } from './world/world.ts';

/** What starting instances came to: ms until they listened, and MiB they had then. */
interface Starts {
  ms: Record<'hello' | 'processFrame', Rounds>;
  /** Of other functions, fewer of them. */
  others: Record<string, Rounds>;
  memory: Record<'hello' | 'processFrame', number[]>;
}

const measured = new WeakMap<World, Promise<Starts>>();

/** Starts instances again and again; P9 and P10 look at the same ones. */
function startsOf(bench: Bench): Promise<Starts> {
  const known = measured.get(bench.world) ?? measureStarts(bench);
  measured.set(bench.world, known);
  // Whoever asks again tries again.
  known.catch(() => measured.delete(bench.world));
  return known;
}

async function measureStarts({ world, plan, quick, signal }: Bench): Promise<Starts> {
  const hello = await buildBaseline('hello');
  const memory: Starts['memory'] = { hello: [], processFrame: [] };
  const started = (source: string, target: string, signature: 'http' | 'cloudevent', seen?: number[]): Sample => async () => {
    const { pid, startMs, kill } = await serve({ source, target, signature, env: deployedEnvironment(target) });
    seen?.push(memoryOf(pid).residentMiB);
    await kill();
    return startMs;
  };
  const ours = (target: string, seen?: number[]): Sample => started(FUNCTIONS, target, 'http', seen);
  world.say('instances are started, one after the other');
  const starts: Plan = quick ? plan : { warmups: 5, rounds: 7, perRound: 10 };
  const ms = await interleave({ hello: started(hello, 'hello', 'http', memory.hello), processFrame: ours('processFrame', memory.processFrame) }, starts, signal);
  const fewer: Plan = quick ? { warmups: 0, rounds: 1, perRound: 1 } : { warmups: 2, rounds: 5, perRound: 4 };
  const others = await interleave<string>({ startSession: ours('startSession'), api: ours('api'), settleCheckpoint: started(FUNCTIONS, 'settleCheckpoint', 'cloudevent') }, fewer, signal);
  return { ms, others, memory };
}

const loadShortfall = 'Beside what `hello` loads too (firebase-functions with express, firebase-admin/auth) an instance loads firebase-admin/firestore and firebase-admin/database, each about a quarter of the difference, and defines the schemas of all operations, nearly half of it. The last part would go with an entry for each domain, chosen by FUNCTION_TARGET.';
const peakShortfall = 'Read off an instance at a peak of 395 MiB: 105 MiB of heap, 100 MiB of buffers and of texts outside of it, some 55 MiB of Node and its libraries, and the rest, a third, is what glibc keeps of memory that has been freed, in an arena for each thread that decodes pictures. With MALLOC_ARENA_MAX=2 in its environment the peak of an instance was 316 MiB.';

/** P9: what loading the functions takes. */
export const loading: Benchmark = {
  id: 'P9',
  title: 'Load of the built functions beside a bare function',
  how: 'From the start of a process of the functions framework until it listens, as at a cold start: `processFrame`, which loads the same bundle as every function, against `hello` (`tools/bench/baselines/hello.ts`), an `onRequest` of firebase-functions that imports nothing else. Both with NODE_ENV and FUNCTION_TARGET as deployed, the packages on disk and in its cache. Seven rounds of ten after five warm-ups, since each sample is a process.',
  async run(bench) {
    const { ms, others } = await startsOf(bench);
    return {
      goals: [
        { what: 'processFrame / hello', limit: 1.5, unit: '×', ...ratio(ms.processFrame, ms.hello), shortfall: loadShortfall },
      ],
      beside: [
        { what: 'hello', unit: ' ms', ...summary(ms.hello) },
        { what: 'processFrame', unit: ' ms', ...summary(ms.processFrame) },
        ...Object.entries(others).map(([target, rounds]) => ({ what: target, unit: ' ms', ...summary(rounds) })),
      ],
    };
  },
};

/** A JPEG of about 1 MB: noise does not compress. */
async function largeFrame(): Promise<string> {
  const jpeg = await sharp({ create: { width: 1536, height: 864, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 60 } } }).jpeg({ quality: 90 }).toBuffer();
  return jpeg.toString('base64');
}

/** MiB that a fresh instance has had at most once `count` frames have come, so many at once. */
async function peak(world: World, starting: Served, frameData: string, count: number, atOnce: number): Promise<number> {
  const [framing, players] = await Promise.all([world.instance({ target: 'processFrame', slowModel: true }), (await world.project()).players(count)]);
  const sessions = await Promise.all(players.map((player) => open(starting, player)));
  const waiting = sessions.values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const session of waiting) await sendFrame(framing, session, { frameData });
  }));
  const { peakMiB } = memoryOf(framing.pid);
  await framing.kill();
  return peakMiB;
}

/** P10: what an instance needs of memory. */
export const memory: Benchmark = {
  id: 'P10',
  title: 'Memory of an instance',
  how: 'Idle: resident memory of the processes of P9 when they listen, against `hello`. Peak: the most that a fresh instance of `processFrame` has had after 80 frames of 1 MB (1536 by 864 pixels of noise) of 80 sessions, the model thinking for 1.5 s: all 80 at once, and 20 at once, which is what an instance is given as deployed (`concurrency: 20`, 1 GiB).',
  async run(bench) {
    const { memory: seen } = await startsOf(bench);
    const { world, quick, signal } = bench;
    const frameData = await largeFrame();
    const starting = await world.instance({ target: 'startSession' });
    const runs = quick ? 1 : 3;
    // As a test of the benchmark fewer do: the figures mean nothing then.
    const count = quick ? 2 : 80;
    const peaks: Record<20 | 80, number[]> = { 20: [], 80: [] };
    for (let run = 0; run < runs; run++) {
      signal.throwIfAborted();
      peaks[80].push(await peak(world, starting, frameData, count, 80));
      peaks[20].push(await peak(world, starting, frameData, count, 20));
    }
    const idle = (target: keyof typeof seen): number[][] => [seen[target]];
    return {
      goals: [
        { what: 'idle, processFrame / hello', limit: 1.3, unit: '×', ...ratio(idle('processFrame'), idle('hello')) },
        { what: 'peak, 80 frames of 1 MB at once', limit: 400, unit: ' MiB', ...spread(peaks[80]), shortfall: peakShortfall },
      ],
      beside: [
        { what: 'peak, 20 frames of 1 MB at once, as deployed', unit: ' MiB', ...spread(peaks[20]) },
        ...(['hello', 'processFrame'] as const).map((target) => ({ what: `idle, ${target}`, unit: ' MiB', ...spread([median(seen[target])]) })),
        { what: 'bytes of a frame as JPEG', value: Buffer.byteLength(frameData, 'base64'), unit: '' },
      ],
    };
  },
};
