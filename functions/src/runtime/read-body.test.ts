import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as send, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { letGoOfBody, readBody } from './read-body.ts';

const maxBytes = 9_000_000;
/** A body of which one is all that is in hand. */
const large = 8_500_000;

/** A call that has come: its body, once it is read. */
interface Call {
  incoming: IncomingMessage & { body?: unknown };
  body: Buffer | null;
  answer: () => void;
}

describe('a large body', () => {
  let server: Server;
  let port: number;
  /** Names of the calls whose bodies have been read, or were given up. */
  const read: string[] = [];
  const calls = new Map<string, Call>();

  before(async () => {
    server = createServer((incoming, response) => {
      const name = incoming.url!.slice(1);
      readBody(incoming, response, maxBytes).then((body) => {
        calls.set(name, { incoming, body, answer: () => response.end() });
        read.push(name);
      }, () => read.push(`${name} is gone`));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => read.splice(0));
  afterEach(() => server.closeAllConnections());
  after(() => server.close());

  /** Announces a body and sends as much of it. Resolves once the server has heard of it. */
  async function call(name: string, length: number, sent = length): Promise<ClientRequest> {
    const client = send({ port, host: '127.0.0.1', method: 'POST', path: `/${name}`, headers: { 'content-length': length }, agent: false });
    client.on('error', () => undefined);
    client.on('response', (answer) => answer.resume());
    const heard = once(server, 'request');
    client.flushHeaders();
    await heard;
    if (sent === length) client.end(Buffer.alloc(sent, 'x'));
    else client.write(Buffer.alloc(sent, 'x'));
    return client;
  }

  async function until(names: string[]): Promise<void> {
    while (read.length < names.length) await new Promise((resolve) => { setTimeout(resolve, 1); });
    assert.deepEqual(read, names);
  }

  it('is whole, however it is cut', async () => {
    const client = send({ port, host: '127.0.0.1', method: 'POST', path: '/cut', agent: false });
    client.on('error', () => undefined);
    for (let digit = 0; digit < 10; digit++) client.write(String(digit).repeat(20_000));
    client.end();
    await until(['cut']);
    assert.equal(calls.get('cut')!.body!.toString(), Array.from({ length: 10 }, (_, digit) => String(digit).repeat(20_000)).join(''));
  });

  it('waits until that before it is let go of, and a small one does not', async () => {
    await call('first', large);
    await until(['first']);
    await call('second', large);
    await call('small', 60_000);
    await until(['first', 'small']);
    const { incoming } = calls.get('first')!;
    incoming.body = 'parsed';
    letGoOfBody(incoming);
    assert.equal(incoming.body, undefined);
    await until(['first', 'small', 'second']);
    assert.equal(calls.get('second')!.body!.length, large);
  });

  it('waits no longer than until that before it is answered', async () => {
    await call('first', large);
    await until(['first']);
    await call('second', large);
    calls.get('first')!.answer();
    await until(['first', 'second']);
  });

  it('does not wait for one that is not sent on, which is read beside it', async () => {
    const stalled = await call('stalled', large, 100_000);
    await call('second', large);
    await until(['second']);
    stalled.end(Buffer.alloc(large - 100_000, 'x'));
    calls.get('second')!.answer();
    await until(['second', 'stalled']);
    assert.equal(calls.get('stalled')!.body!.length, large);
  });

  it('does not wait for clients that have gone, before or during their turn', async () => {
    await call('first', large);
    await until(['first']);
    const waits = await call('waits', large);
    await call('last', large);
    waits.destroy();
    calls.get('first')!.answer();
    await until(['first', 'waits is gone', 'last']);
    const reads = await call('reads', large, 100_000);
    calls.get('last')!.answer();
    reads.destroy();
    await until(['first', 'waits is gone', 'last', 'reads is gone']);
    await call('next', large);
    await until(['first', 'waits is gone', 'last', 'reads is gone', 'next']);
  });

  for (const sent of [1, 15_000, 60_000, 120_000, 400_000]) {
    it(`does not wait for a client that has gone while it waited, having sent ${sent} bytes`, async () => {
      await call('first', large);
      await until(['first']);
      const waits = await call('waits', large, sent);
      const closed = new Promise((resolve) => { waits.once('close', resolve); });
      waits.destroy();
      await closed;
      calls.get('first')!.answer();
      await until(['first', 'waits is gone']);
      await call('next', large);
      await until(['first', 'waits is gone', 'next']);
    });
  }

  it('does not wait for each of many that are not sent on', async () => {
    // One after the other they would last longer than any test may.
    for (let count = 0; count < 200; count++) await call(`stalled-${count}`, large, 1);
    await call('honest', 100_000);
    await until(['honest']);
  });

  it('is none when it is too large, and the next need not wait for it', async () => {
    const chunked = send({ port, host: '127.0.0.1', method: 'POST', path: '/endless', agent: false });
    chunked.on('error', () => undefined);
    chunked.write(Buffer.alloc(maxBytes, 'x'));
    chunked.end('x');
    await until(['endless']);
    assert.equal(calls.get('endless')!.body, null);
    await call('next', large);
    await until(['endless', 'next']);
  });
});
