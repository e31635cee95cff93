import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FUNCTIONS, NODE, ROOT } from '../paths.ts';
import type { Mutation, TestRun } from './mutation.ts';
import type { MochaReport } from './reporter.ts';

/** How a mutant ended: `killed` by a test, `survived` all of them, or `invalid`: it does not load, or never ends. */
export interface Verdict {
  verdict: 'killed' | 'survived' | 'invalid';
  /** The test that killed it, or what is wrong with it. */
  by: string;
  seconds: number;
}

const timeoutMs = 180_000;
/** Errors that show that the mutant is no program, rather than a wrong one. */
const nonsense = new Set(['ReferenceError', 'SyntaxError', 'TypeError']);

/** Runs the tests of a mutant until one of them fails. */
export async function runMutant(mutation: Mutation, signal: AbortSignal): Promise<Verdict> {
  const begun = performance.now();
  const ended = (verdict: Verdict['verdict'], by: string): Verdict => ({ verdict, by, seconds: (performance.now() - begun) / 1_000 });
  for (const test of mutation.tests) {
    const { report, output } = await runMocha(test, mutation, signal);
    if (signal.aborted) return ended('invalid', 'stopped');
    if (!report) return ended('invalid', output);
    if (!report.loaded) return ended('invalid', `${test.file} does not load ${mutation.file}`);
    if (report.failure && nonsense.has(report.failure.name)) return ended('invalid', `${report.failure.name}: ${report.failure.message}`);
    if (report.failure) return ended('killed', report.failure.test);
  }
  return ended('survived', '');
}

/** Runs tests on the code as it is; null when they pass, else what is wrong with them. */
export async function runUnmutated(test: TestRun, signal: AbortSignal): Promise<string | null> {
  const { report, output } = await runMocha(test, null, signal);
  if (!report) return output;
  if (report.failure) return `${report.failure.test}: ${report.failure.message}`;
  return report.passes === 0 ? 'no test has this name' : null;
}

async function runMocha({ file, grep }: TestRun, mutation: Mutation | null, signal: AbortSignal): Promise<{ report: MochaReport | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'jiga-mutant-'));
  const reportFile = join(folder, 'report.json');
  const mocha = join(FUNCTIONS, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const child = spawn(NODE, [
    '--experimental-async-context-frame', '--import', join(import.meta.dirname, 'preload.ts'),
    mocha, '--bail', '--exit', '--timeout', '20000', '--reporter', join(import.meta.dirname, 'reporter.ts'), ...(grep === undefined ? [] : ['--fgrep', grep]), file,
  ], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, JIGA_MUTANT: JSON.stringify(mutation), JIGA_MUTANT_REPORT: reportFile },
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errors = (errors + text).slice(-4_000); });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let late = false;
  const timer = setTimeout(() => { late = true; kill(); }, timeoutMs);
  try {
    await new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('close', () => resolve());
    });
    return { report: readReport(reportFile), output: late ? `no end after ${timeoutMs / 1_000} s` : firstLine(errors) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): MochaReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MochaReport;
  } catch {
    return null;
  }
}

/** The line that names the error; what Node prints around it says nothing. */
function firstLine(errors: string): string {
  const lines = errors.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  return lines.find((line) => /Error/.test(line)) ?? lines.at(-1) ?? 'mocha ended without a report';
}
