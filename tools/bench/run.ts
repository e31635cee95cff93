import { isHeld, type Benchmark, type Report } from './benchmark.ts';
import { fullPlan, quickPlan } from './method.ts';
import { figureText, goalText } from './report.ts';
import { World } from './world/world.ts';

/** What a run is to do. */
export interface RunOptions {
  benchmarks: readonly Benchmark[];
  quick: boolean;
  /** Aborted when nobody wants to know any more. */
  signal: AbortSignal;
  /** Told how far it has come. */
  say: (line: string) => void;
}

/** Most that one benchmark may take, and all of them. */
const benchmarkTimeoutMs = 600_000;
const runTimeoutMs = 2_400_000;

/** Runs benchmarks one after the other. One that fails or takes too long is reported as such, and the next one begins. */
export async function runBenchmarks({ benchmarks, quick, signal: stopped, say }: RunOptions): Promise<Report[]> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(runTimeoutMs)]);
  const world = new World({ signal, say: (line) => say(`     ${line}`) });
  const reports: Report[] = [];
  try {
    for (const benchmark of benchmarks) {
      if (stopped.aborted) break;
      say(`${benchmark.id.padEnd(4)} ${benchmark.title}`);
      const report = await runOne(benchmark, world, quick, signal);
      reports.push(report);
      for (const goal of report.goals) say(`     ${goalText(goal)}: ${figureText(goal)}${isHeld(goal) ? '' : ', MISSED'}`);
      say(`     ${report.failure === undefined ? '' : `FAILED: ${report.failure} `}${report.seconds} s`);
    }
  } finally {
    await world.close();
  }
  return reports;
}

async function runOne({ id, title, how, run }: Benchmark, world: World, quick: boolean, overall: AbortSignal): Promise<Report> {
  const begun = performance.now();
  const signal = AbortSignal.any([overall, AbortSignal.timeout(benchmarkTimeoutMs)]);
  const about = (): Pick<Report, 'id' | 'title' | 'how' | 'seconds'> => ({ id, title, how, seconds: Math.round((performance.now() - begun) / 1_000) });
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    signal.throwIfAborted();
    const running = run({ world, plan: quick ? quickPlan : fullPlan, signal, quick });
    // When it has been given up, nobody waits for how it ends.
    running.catch(() => undefined);
    return { ...await Promise.race([running, stopped]), ...about() };
  } catch (error) {
    return { goals: [], beside: [], ...about(), failure: error instanceof Error ? error.message : String(error) };
  } finally {
    stopped.catch(() => undefined);
    await world.tidy().catch(() => undefined);
  }
}
