import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NODE, ROOT } from '../paths.ts';

/** A check that reads the source without running it. */
export interface Check {
  name: string;
  /** Name in node_modules/.bin, and its arguments. */
  command: [bin: string, ...args: string[]];
}

/** All of them; the root's package.json runs the same commands one by one. */
export const CHECKS: readonly Check[] = [
  { name: 'lint', command: ['eslint', '.'] },
  { name: 'imports', command: ['depcruise', 'functions/src', 'tools', '--config', 'tools/dependencies.cjs'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
];

async function runCheck({ name, command: [bin, ...args] }: Check, signal: AbortSignal): Promise<boolean> {
  const started = Date.now();
  const child = spawn(NODE, [join(ROOT, 'node_modules', '.bin', bin), ...args], { cwd: ROOT, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
  console.log(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(10)} ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (!passed) console.log(Buffer.concat(output).toString().trim());
  return passed;
}

/** Runs all checks side by side, one line each, and the output of those that fail. */
export async function runChecks(signal: AbortSignal): Promise<boolean> {
  const passed = await Promise.all(CHECKS.map((check) => runCheck(check, signal)));
  return passed.every(Boolean);
}
