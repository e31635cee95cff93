import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CACHE, FUNCTIONS, NODE, ROOT } from '../paths.ts';

/** Counts of one mocha run. */
export interface Counts {
  passes: number;
  failures: number;
  pending: number;
}

/** The two kinds of tests: pure ones, and those that need the emulator suite. */
export interface TestFiles {
  unit: string[];
  emulator: string[];
}

// Following asynchronous calls, as the simulator does for every request, is faster with it.
const nodeOptions = ['--experimental-async-context-frame'];
const STATS = join(CACHE, 'mocha-stats.json');
// It compares the suite's data with the seed, so nothing may have written before it.
const FIRST = join('tools', 'seed', 'seed.emulator.test.ts');

/** Sorts test files into the two kinds; paths are relative to the repository. */
export function sortTestFiles(files: string[]): TestFiles {
  const tests = files.filter((file) => file.endsWith('.test.ts')).sort();
  const emulator = tests.filter((file) => file.endsWith('.emulator.test.ts'));
  return {
    unit: tests.filter((file) => !file.endsWith('.emulator.test.ts')),
    emulator: [...emulator.filter((file) => file === FIRST), ...emulator.filter((file) => file !== FIRST)],
  };
}

/** Finds the test files of the repository. */
export function findTestFiles(): TestFiles {
  const folders = [join(FUNCTIONS, 'src'), join(FUNCTIONS, 'test'), join(ROOT, 'tools')];
  return sortTestFiles(folders.flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => relative(ROOT, join(folder, file)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }));
}

function readCounts(): Counts | undefined {
  try {
    return JSON.parse(readFileSync(STATS, 'utf8')) as Counts;
  } catch {
    return undefined;
  }
}

/** Runs mocha over files; a run that ends without a report counts as one failure. */
export async function runMocha(files: string[], args: string[], { env = {}, quiet = false, signal }: { env?: Record<string, string>; quiet?: boolean; signal: AbortSignal }): Promise<Counts> {
  mkdirSync(CACHE, { recursive: true });
  rmSync(STATS, { force: true });
  const mocha = join(FUNCTIONS, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const reporter = join(import.meta.dirname, 'reporter.ts');
  // Some CI variables make mocha colour even a file.
  const colours = process.stdout.isTTY ? [] : ['--no-color'];
  const child = spawn(NODE, [...nodeOptions, mocha, '--reporter', reporter, '--exit', ...colours, ...args, ...files], {
    cwd: ROOT,
    stdio: quiet ? 'ignore' : 'inherit',
    env: { ...process.env, ...env, JIGA_MOCHA_STATS: STATS },
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', resolve);
  });
  signal.removeEventListener('abort', stop);
  const counts = readCounts();
  if (!counts) return { passes: 0, failures: 1, pending: 0 };
  return { ...counts, failures: code === 0 ? counts.failures : Math.max(1, counts.failures) };
}
