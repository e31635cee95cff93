import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { AppError } from '../runtime/errors.ts';
import { operation, type CallContext, type Operation } from '../runtime/operation.ts';
import { openApiDocument } from '../runtime/openapi.ts';
import { restApi } from '../runtime/rest.ts';

/** What a test's download does: emits its pieces. */
type Write = (context: CallContext) => Promise<void>;

function download(write: Write): Operation {
  return operation({
    name: 'getFile', summary: 'Answers with a file.', access: 'public', route: { method: 'get', path: '/file' },
    input: z.strictObject({ name: z.string(), limit: z.int().default(1) }), output: z.object({ pieces: z.int() }), chunk: z.object({ text: z.string() }),
    download: { contentTypes: ['text/csv; charset=utf-8', 'application/x-ndjson'], file: ({ name }: { name: string }) => ({ contentType: 'text/csv; charset=utf-8', fileName: `${name}.csv` }) },
    async handle({ limit }, context) {
      await write(context);
      return { pieces: limit };
    },
  });
}

/** Serves an operation for the time of `act`. */
async function served(write: Write, act: (url: string) => Promise<void>): Promise<void> {
  const server = restApi([download(write)], () => Promise.resolve({})).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const opened = (url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> => new Promise((resolve, reject) => { get(url, { agent: false, headers }, resolve).once('error', reject); });

describe('a download over REST', () => {
  it('is a file with a name, in the pieces that were emitted', async () => {
    await served(({ emit }) => {
      for (const text of ['a,b\r\n', '1,2\r\n', '']) emit({ text });
      return Promise.resolve();
    }, async (url) => {
      const response = await fetch(`${url}/v1/file?name=007`);
      assert.deepEqual([response.status, await response.text()], [200, 'a,b\r\n1,2\r\n']);
      assert.deepEqual(['content-type', 'content-disposition', 'cache-control'].map((name) => response.headers.get(name)), ['text/csv; charset=utf-8', 'attachment; filename="007.csv"', 'no-store'], 'a text of digits stays a text');
    });
  });

  it('may be empty', async () => {
    await served(() => Promise.resolve(), async (url) => {
      const response = await fetch(`${url}/v1/file?name=x`);
      assert.deepEqual([response.status, response.headers.get('content-type'), await response.text()], [200, 'text/csv; charset=utf-8', '']);
    });
  });

  it('answers with an ordinary error as long as nothing was sent', async () => {
    await served(() => Promise.reject(new AppError('unavailable', 'Not now.', { reason: 'not_ready' })), async (url) => {
      for (const [path, status, reason] of [['/v1/file?name=x', 503, 'not_ready'], ['/v1/file', 400, 'bad_input'], ['/v1/file?name=x&limit=1.5', 400, 'bad_input']] as const) {
        const response = await fetch(`${url}${path}`, { headers: { accept: 'text/event-stream' } });
        const { error } = await response.json() as { error: { details: { reason: string } } };
        assert.deepEqual([response.status, response.headers.get('content-disposition'), error.details.reason], [status, null, reason]);
      }
    });
  });

  it('breaks the connection when it fails later: what has come is not the whole', async () => {
    let begun!: () => void;
    const beginning = new Promise<void>((resolve) => { begun = resolve; });
    await served(async ({ emit }) => {
      emit({ text: 'the first half\r\n' });
      await beginning;
      throw new Error('the second half is lost');
    }, async (url) => {
      const response = await fetch(`${url}/v1/file?name=x`);
      begun();
      assert.equal(response.status, 200);
      await assert.rejects(response.text(), { name: 'TypeError', message: 'terminated' });
    });
  });

  for (const [how, headers] of [['as it is', {}], ['compressed', { 'accept-encoding': 'gzip' }]] as const) {
    it(`goes no faster than it is taken, ${how}`, async () => {
      const piece = randomBytes(49_152).toString('base64');
      const pieces = 1_000;
      let emitted = 0;
      await served(async ({ emit, taken }) => {
        for (; emitted < pieces; emitted++) {
          emit({ text: piece });
          await taken?.();
        }
      }, async (url) => {
        const response = await opened(`${url}/v1/file?name=x`, headers);
        // The server has nothing else to do than to write; while it answers these, it would write as much as it may.
        for (let count = 0; count < 100; count++) assert.equal((await fetch(`${url}/health`)).status, 200);
        const before = emitted;
        assert.ok(before < pieces / 4, `${before} of ${pieces} pieces were written to somebody who reads none`);
        const whole = response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
        let bytes = 0;
        for await (const data of whole) bytes += (data as Buffer).length;
        assert.deepEqual([emitted, bytes, whole !== response], [pieces, pieces * piece.length, how === 'compressed']);
      });
    });
  }

  it('stops when the caller leaves', async () => {
    let emitted = 0;
    let stopped!: () => void;
    const end = new Promise<void>((resolve) => { stopped = resolve; });
    await served(async ({ emit, taken, signal }) => {
      for (; !signal.aborted; emitted++) {
        emit({ text: 'x'.repeat(65_536) });
        await taken?.();
      }
      stopped();
    }, async (url) => {
      const response = await opened(`${url}/v1/file?name=x`);
      response.destroy();
      await end;
      assert.ok(emitted > 0);
    });
  });

  it('is described as a file of its content types', () => {
    const { paths } = openApiDocument([download(() => Promise.resolve())]) as { paths: Record<string, { get: { responses: Record<string, { content: object; headers?: object }> } }> };
    const answer = paths['/v1/file']!.get.responses['200']!;
    assert.deepEqual([Object.keys(answer.content), Object.keys(answer.headers ?? {})], [['text/csv', 'application/x-ndjson'], ['content-disposition']]);
  });
});
