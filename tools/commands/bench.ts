import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark } from '../bench/benchmark.ts';
import { isHeld } from '../bench/benchmark.ts';
import { benchmarks } from '../bench/benchmarks.ts';
import { fullPlan, quickPlan } from '../bench/method.ts';
import type { BenchRun } from '../bench/report.ts';
import { runBenchmarks } from '../bench/run.ts';
import { lookAround } from '../bench/surroundings.ts';
import { writePages } from '../bench/pages.ts';
import { runCommand, UserError } from '../errors.ts';
import { CACHE, ROOT } from '../paths.ts';
import { buildFunctions } from './build.ts';
import { abortOnSignal } from './interrupt.ts';

const INTERRUPTED = 130;
const USAGE = `npm run bench -- [${benchmarks[0]!.id} ... ${benchmarks.at(-1)!.id}] [--json] [--quick]

Measures the functions beside baselines and peers, on the emulators. All of them take about 12 minutes and write
docs/benchmarks.md with its chart and docs/scaling.md; some of them are printed only.

  --json    prints the run as JSON
  --quick   a few samples of each: shows that the benchmarks work, its figures mean little; writes to .cache/bench/docs`;

/** What was asked for. */
interface Options {
  wanted: readonly Benchmark[];
  json: boolean;
  quick: boolean;
  help: boolean;
}

function readOptions(args: string[]): Options {
  const parsed = ((): ReturnType<typeof parse> => {
    try {
      return parse(args);
    } catch (error) {
      throw new UserError(`${(error as Error).message.split('.')[0]}. npm run bench -- --help lists the options.`);
    }
  })();
  const ids = parsed.positionals.map((id) => id.toUpperCase());
  const unknown = ids.find((id) => benchmarks.every((benchmark) => benchmark.id !== id));
  if (unknown) throw new UserError(`There is no benchmark ${unknown}: ${benchmarks.map(({ id }) => id).join(', ')}.`);
  return { wanted: ids.length === 0 ? benchmarks : benchmarks.filter(({ id }) => ids.includes(id)), ...parsed.values };
}

function parse(args: string[]): { values: { json: boolean; quick: boolean; help: boolean }; positionals: string[] } {
  return parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
}

await runCommand(async () => {
  const { wanted, json, quick, help } = readOptions(process.argv.slice(2));
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const signal = abortOnSignal();
  const surroundings = lookAround();
  buildFunctions();
  const reports = await runBenchmarks({ benchmarks: wanted, quick, signal, say: (line) => console.error(line) });
  const run: BenchRun = { surroundings: surroundings(), plan: quick ? quickPlan : fullPlan, reports };
  if (signal.aborted) return INTERRUPTED;
  if (json) console.log(JSON.stringify(run, null, 2));
  if (wanted === benchmarks) {
    const folder = quick ? join(CACHE, 'bench', 'docs') : join(ROOT, 'docs');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'benchmarks.json'), `${JSON.stringify(run, null, 2)}\n`);
    writePages(folder, run);
    console.error(`written: ${folder}`);
  }
  const goals = reports.flatMap((report) => report.goals);
  console.error(`${goals.filter(isHeld).length} of ${goals.length} goals reached`);
  return reports.some(({ failure }) => failure !== undefined) ? 1 : 0;
});
process.exit();
