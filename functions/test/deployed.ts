import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { operations } from '../src/operations.ts';
import { serve, type Served } from './framework.ts';

/** What can be deployed by itself: an operation, or all of them behind their routes. */
export type Deployable = keyof typeof operations | 'api';

const functionsFolder = dirname(dirname(fileURLToPath(import.meta.url)));

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

const running = new Set<Served>();

/** Starts an instance of a built function under the functions framework, against the same emulators as the tests; `source` is the module that exports it. */
export async function deploy<Name extends Deployable>(target: Name, env: Record<string, string | undefined> = {}, source = functionsFolder): Promise<Instance<Name>> {
  let output = '';
  const served = await serve({ source, target, env, cwd: functionsFolder, heard: (text) => { output += text; } });
  running.add(served);
  return {
    target,
    url: served.url,
    call: async (idToken, data) => {
      const response = await fetch(served.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${idToken}` }, body: JSON.stringify({ data }) });
      return await response.json() as Awaited<ReturnType<Instance['call']>>;
    },
    pid: served.pid,
    output: () => output,
    kill: async () => {
      running.delete(served);
      await served.kill();
    },
  };
}

/** Ends every instance; for a root `after` hook. */
export async function endInstances(): Promise<void> {
  await Promise.all([...running].map((served) => served.kill()));
  running.clear();
}
