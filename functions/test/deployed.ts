import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { operations } from '../src/operations.ts';
import { eventually } from './harness.ts';

/** What can be deployed by itself: an operation, or all of them behind their routes. */
export type Deployable = keyof typeof operations | 'api';

const functionsFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const framework = join(dirname(createRequire(import.meta.url).resolve('@google-cloud/functions-framework')), 'main.js');

/** One instance of a built function, as it is deployed: many requests at once in one process. */
export interface Instance<Name extends Deployable = Deployable> {
  target: Name;
  /** Where it listens, without a slash at the end. */
  url: string;
  /** Calls it by the callable protocol; resolves with whatever it answers. */
  call: (idToken: string, data: unknown) => Promise<{ result?: Record<string, unknown>; error?: { status: string; message: string; details?: { reason?: string } } }>;
  pid: number;
  /** What the process has written so far, to stdout and stderr. */
  output: () => string;
  /** Ends the process without letting it finish anything. */
  kill: () => Promise<void>;
}

const running = new Set<ChildProcess>();

/** Starts an instance of a built function under the functions framework, against the same emulators as the tests; `source` is the module that exports it. */
export async function deploy<Name extends Deployable>(target: Name, env: Record<string, string | undefined> = {}, source = functionsFolder): Promise<Instance<Name>> {
  const port = await freePort();
  const child = spawn(process.execPath, [framework, '--target', target, '--signature-type', 'http', '--port', String(port), '--source', source], {
    cwd: functionsFolder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FUNCTION_TARGET: target, FUNCTION_SIGNATURE_TYPE: 'http', ...env },
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => fetch(url, { method: 'OPTIONS' }).then(() => true, () => false), `${target} to listen`);
  return {
    target,
    url,
    call: async (idToken, data) => {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${idToken}` }, body: JSON.stringify({ data }) });
      return await response.json() as Awaited<ReturnType<Instance['call']>>;
    },
    pid: child.pid!,
    output: () => output,
    kill: () => end(child),
  };
}

/** Ends every instance; for a root `after` hook. */
export async function endInstances(): Promise<void> {
  await Promise.all([...running].map(end));
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
