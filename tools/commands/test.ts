import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantedEnvironment } from '../../functions/test/planted.ts';
import { startSuite } from '../emulators/suite.ts';
import { runCommand, UserError } from '../errors.ts';
import { CACHE, EMULATOR_DATA } from '../paths.ts';
import { buildFunctions } from './build.ts';
import { runChecks } from './checks.ts';
import { abortOnSignal } from './interrupt.ts';
import { findTestFiles, runMocha, type Counts } from './mocha.ts';

const INTERRUPTED = 130;

/** What a test run needs: `npm test -- [--unit] [mocha's own options]`. */
interface Run {
  unitOnly: boolean;
  mochaArgs: string[];
  signal: AbortSignal;
}

function total(runs: Counts[]): Counts {
  const sum = (field: keyof Counts) => runs.reduce((result, run) => result + run[field], 0);
  return { passes: sum('passes'), failures: sum('failures'), pending: sum('pending') };
}

/** Starts the suite for the tests that need it; spares the start when the options select none of them. */
async function runEmulatorTests(files: string[], { mochaArgs, signal }: Run): Promise<Counts> {
  const nothing = { passes: 0, failures: 0, pending: 0 };
  if (files.length === 0) return nothing;
  if (mochaArgs.length > 0) {
    const selected = await runMocha(files, ['--dry-run', ...mochaArgs], { quiet: true, signal });
    if (selected.passes + selected.failures === 0) return nothing;
  }
  buildFunctions();
  const suite = await startSuite({ importFrom: EMULATOR_DATA, env: plantedEnvironment, logFile: join(CACHE, 'test.log'), signal });
  console.log(`passed  emulators  ${suite.description}`);
  try {
    return await runMocha(files, ['--timeout', '60000', ...mochaArgs], { env: { ...suite.env, JIGA_EMULATOR_LOG: suite.logFile }, signal });
  } finally {
    await suite.stop();
  }
}

async function runTests(run: Run): Promise<Counts> {
  const files = findTestFiles();
  const counts = [await runMocha(files.unit, ['--timeout', '20000', ...run.mochaArgs], { signal: run.signal })];
  if (!run.unitOnly && !run.signal.aborted) counts.push(await runEmulatorTests(files.emulator, run));
  return total(counts);
}

await runCommand(async () => {
  const args = process.argv.slice(2);
  const run: Run = {
    unitOnly: args.includes('--unit'),
    mochaArgs: args.filter((argument) => argument !== '--unit'),
    signal: abortOnSignal(),
  };
  const checked = run.unitOnly || run.mochaArgs.length > 0 || (await runChecks(run.signal));
  if (run.signal.aborted) return INTERRUPTED;
  if (!checked) return 1;
  if (process.env['CI']) run.mochaArgs.push('--forbid-only');
  const counts = await runTests(run);
  if (run.signal.aborted) return INTERRUPTED;
  // Nothing may be printed from here on: the end of the output is mocha's summary.
  writeFileSync(join(CACHE, 'test-results.json'), JSON.stringify({ passed: counts.passes, failed: counts.failures, pending: counts.pending }));
  if (counts.passes + counts.failures === 0) throw new UserError('No test was found: check the pattern.');
  return counts.failures === 0 ? 0 : 1;
});
