import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../functions/test/framework.ts';
import { installIfStale, isStale } from '../../install.mjs';
import { CACHE } from '../../paths.ts';
import { within } from './calls.ts';
import { benchCache } from './world.ts';

const source = join(import.meta.dirname, '..', 'peer');

/** The gateway that P3 is measured beside. */
export interface Peer {
  /** Asks it for a chat completion of the mock vendor. */
  ask: (body: string) => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts the gateway; where it is missing it is installed first, if that is wanted. @throws Error that says why it cannot be started. */
export async function startPeer(vendorUrl: string, { install }: { install: boolean }): Promise<Peer> {
  const folder = join(benchCache, 'peer');
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(source, file), join(folder, file));
  const start = join('node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
  const required = [start];
  if (!install && isStale(folder, required)) throw new Error('it is not installed: npm run bench -- P3 does that.');
  const problem = installIfStale(folder, { label: 'the gateway that P3 is measured beside', scripts: [], required, cache: CACHE });
  if (problem) throw new Error(problem);
  const port = await freePort();
  // Otherwise it refuses hosts of this machine.
  const env = { ...process.env, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' };
  const child = spawn(process.execPath, [join(folder, start), `--port=${port}`, '--headless'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    await within(new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the gateway ended before it was ready')));
      child.stdout.on('data', (text: Buffer) => void (text.includes('Ready for connections') && resolve()));
    }), 'the start of the gateway');
  } catch (error) {
    await stop();
    throw error;
  }
  const headers = { 'content-type': 'application/json', authorization: 'Bearer bench-key', 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${vendorUrl}/v1` };
  return {
    ask: async (body) => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`the gateway answered ${answer.status}: ${text.slice(0, 200)}`);
    },
    stop,
  };
}
