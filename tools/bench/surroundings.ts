import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { findJava } from '../emulators/java.ts';
import { CACHE, FUNCTIONS, ROOT } from '../paths.ts';
import type { Surroundings } from './report.ts';

function versionIn(folder: string, name: string): string {
  try {
    return (JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return 'not installed';
  }
}

function commit(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

/** What a run is made in; call the answer when it is over. */
export function lookAround(): () => Surroundings {
  const before = loadavg()[0]!;
  const [first] = cpus();
  const ours = ['firebase-functions', 'firebase-admin', 'zod', 'openai', 'sharp'].map((name) => [name, versionIn(FUNCTIONS, name)]);
  const tools = ['@google-cloud/functions-framework', 'firebase-tools'].map((name) => [name, versionIn(ROOT, name)]);
  return () => ({
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: `${cpus().length} × ${first?.model.trim() ?? arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()} ${arch()}`,
    load: [before, loadavg()[0]!],
    versions: Object.fromEntries([['node', process.version], ['java', String(findJava().version)], ...ours, ...tools, ['@portkey-ai/gateway', versionIn(join(CACHE, 'bench', 'peer'), '@portkey-ai/gateway')]]) as Record<string, string>,
  });
}
