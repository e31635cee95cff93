import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const framework = join(dirname(createRequire(import.meta.url).resolve('@google-cloud/functions-framework')), 'main.js');
const startTimeoutMs = 60_000;

/** A function to serve, and with what. */
export interface ServeOptions {
  /** Folder with the package whose main module exports the function, or that module. */
  source: string;
  /** Where the process runs; in the folder if absent. */
  cwd?: string;
  target: string;
  /** What it takes: requests, or events as Eventarc sends them. */
  signature?: 'http' | 'cloudevent';
  /** More environment, or less: what is undefined is not handed on. */
  env?: Record<string, string | undefined>;
  /** File that its output is appended to. */
  log?: string;
  /** Hears its output where no file is given. */
  heard?: (text: string) => void;
}

/** A process of the functions framework that serves one function, as a deployed instance does. */
export interface Served {
  /** Where it listens, without a slash at the end. */
  url: string;
  pid: number;
  /** ms from the start of the process until it listened. */
  startMs: number;
  /** Ends the process without letting it finish anything. */
  kill: () => Promise<void>;
}

/** Starts the functions framework and waits until it listens. */
export async function serve({ source, cwd = source, target, signature = 'http', env = {}, log, heard }: ServeOptions): Promise<Served> {
  const port = await freePort();
  const output = log === undefined ? heard ? 'pipe' : 'ignore' : openSync(log, 'a');
  const begun = performance.now();
  const child = spawn(process.execPath, [framework, '--target', target, '--signature-type', signature, '--port', String(port), '--source', source], {
    cwd, stdio: ['ignore', output, output], env: { ...process.env, FUNCTION_TARGET: target, FUNCTION_SIGNATURE_TYPE: signature, ...env },
  });
  if (typeof output === 'number') closeSync(output);
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', heard!);
  try {
    await listening(child, port, target);
  } catch (error) {
    await end(child);
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, startMs: performance.now() - begun, kill: () => end(child) };
}

async function listening(child: ChildProcess, port: number, target: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (!await accepts(port)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${target} ended before it listened`);
    if (Date.now() > deadline) throw new Error(`${target} did not listen within ${startTimeoutMs / 1000} s`);
    await delay(3);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
