import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

function start(port: number): { child: ChildProcess; output: () => string; line: Promise<void> } {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--port', String(port), '--host', '127.0.0.1', '--single_project_mode', 'Warning']);
  let output = '';
  const line = new Promise<void>((resolve) => {
    const add = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (output.includes('\n')) resolve();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
  });
  return { child, output: () => output, line };
}

describe('the command', () => {
  it('listens until it is told to stop, for either signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, output, line } = start(0);
      await line;
      assert.match(output(), /^Database emulator listening on 127\.0\.0\.1:\d+\n$/);
      const exited = once(child, 'exit');
      child.kill(signal);
      assert.deepEqual(await exited, [0, null]);
    }
  }).timeout(10_000);

  it('says in one line that its port is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const { child, output } = start(port);
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.equal(output(), `Database emulator: address already in use: 127.0.0.1:${port}\n`);
    blocker.close();
  }).timeout(10_000);
});
