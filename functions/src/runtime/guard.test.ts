import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { createServer, request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { guarded, guardServer, type Rules } from './guard.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: { seen?: unknown; error?: { code?: string; status?: string; message: string; details: { reason: string } } };
}
interface Sent { method?: string; path?: string; headers?: OutgoingHttpHeaders | string[]; body?: string | Buffer }

/** A server behind the guard that answers with the body it gets. */
async function serve(rules: Partial<Rules> = {}): Promise<{ server: Server; port: number }> {
  const server = createServer(guarded((incoming, response) => response.end(JSON.stringify({ seen: (incoming as { body?: unknown }).body ?? 'nothing' })), { callable: false, maxBodyBytes: 1_000, larger: [{ address: /^\/v1\/large$/, maxBodyBytes: 2_000 }], origins: ['https://game.example'], ...rules }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

const json = { 'content-type': 'application/json' };

describe('a request, before the platform sees it', () => {
  const servers: Server[] = [];
  let rest: number;
  let callable: number;

  before(async () => {
    const both = await Promise.all([serve(), serve({ callable: true })]);
    servers.push(...both.map(({ server }) => server));
    [rest, callable] = both.map(({ port }) => port) as [number, number];
  });
  after(() => servers.forEach((server) => {
    server.closeAllConnections();
    server.close();
  }));

  async function send(port: number, { method = 'POST', path = '/', headers = json, body }: Sent): Promise<Answer> {
    const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
    sent.end(body);
    const [answer] = await once(sent, 'response') as [http.IncomingMessage];
    const text = (await answer.toArray()).join('');
    return { status: answer.statusCode!, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) as Answer['body'] };
  }

  async function refuses(port: number, sent: Sent, status: number): Promise<Answer> {
    const answer = await send(port, sent);
    assert.deepEqual([answer.status, answer.body.error?.details.reason, answer.headers['content-type']], [status, 'bad_input', 'application/json; charset=utf-8'], JSON.stringify(answer.body));
    return answer;
  }

  it('passes with its JSON parsed', async () => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
      assert.deepEqual((await send(rest, { headers: { 'content-type': type }, body: '{"a":1}' })).body, { seen: { a: 1 } });
    }
    assert.deepEqual((await send(callable, { body: '{"data":{"a":1}}' })).body, { seen: { data: { a: 1 } } });
  });

  it('passes without a body, unless it should have one', async () => {
    await refuses(callable, { headers: {} }, 400);
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) assert.deepEqual((await send(rest, { method, headers: {} })).body, { seen: 'nothing' }, method);
  });

  it('passes with a whole address, and is refused with one that is none', async () => {
    for (const path of ['/a?b=%', '//a', 'http://game.example/a']) assert.deepEqual((await send(rest, { path })).body, { seen: 'nothing' }, path);
    for (const path of ['*', 'http://[::1/', 'http://a:b@[/', '/%E0%A4%A', 'http://game.example/%']) await refuses(rest, { path }, 400);
  });

  it('may be larger where an address takes more', async () => {
    const body = `"${'x'.repeat(1_500)}"`;
    for (const path of ['/v1/large', '/v1/large?x=1']) assert.equal((await send(rest, { path, body })).status, 200);
    for (const path of ['/', '/v1/larger', '/x/v1/large', '/v1/large/x']) await refuses(rest, { path, body }, 413);
    await refuses(rest, { path: '/v1/large', body: `"${'x'.repeat(2_500)}"` }, 413);
  });

  it('of a preflight has no body: one that has is looked at like any other', async () => {
    assert.equal((await send(rest, { method: 'OPTIONS', headers: {} })).status, 200);
    await refuses(rest, { method: 'OPTIONS', headers: { ...json, 'content-length': 5 }, body: '{bad}' }, 400);
    await refuses(rest, { method: 'OPTIONS', headers: { ...json, 'transfer-encoding': 'chunked' }, body: '{bad}' }, 400);
    await refuses(rest, { method: 'OPTIONS', headers: { ...json, 'transfer-encoding': 'chunked' }, body: `"${'x'.repeat(1_000)}"` }, 413);
  });

  it('passes in chunks, of no given length', async () => {
    const sent = request({ port: rest, host: '127.0.0.1', method: 'POST', headers: { ...json, 'transfer-encoding': 'chunked' } });
    for (const part of ['{"a"', ':', '1}']) sent.write(part);
    sent.end();
    const [answer] = await once(sent, 'response') as [http.IncomingMessage];
    assert.equal((await answer.toArray()).join(''), '{"seen":{"a":1}}');
  });

  it('is refused when it is no JSON, in the words of its API', async () => {
    const broken = { body: '{"planted":' };
    assert.deepEqual((await refuses(rest, broken, 400)).body, { error: { code: 'invalid-argument', message: 'The body is not valid JSON in UTF-8.', details: { reason: 'bad_input' } } });
    assert.deepEqual((await refuses(callable, broken, 400)).body, { error: { status: 'INVALID_ARGUMENT', message: 'The body is not valid JSON in UTF-8.', details: { reason: 'bad_input' } } });
  });

  it('is refused readably for the browsers that may call, and for no others', async () => {
    const refusedFor = async (origin: string): Promise<unknown[]> => {
      const { headers } = await refuses(rest, { headers: { ...json, origin }, body: '{' }, 400);
      return [headers['access-control-allow-origin'], headers.vary];
    };
    assert.deepEqual(await refusedFor('https://game.example'), ['https://game.example', 'Origin']);
    assert.deepEqual(await refusedFor('https://evil.example'), [undefined, undefined]);
  });

  it('is refused as a callable without its envelope', async () => {
    for (const body of ['{}', '[]', '{"data":1,"more":2}', '']) await refuses(callable, { body }, 400);
  });

  it('is refused when it is of another type, or packed', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', '']) await refuses(rest, { headers: { 'content-type': type }, body: '{}' }, 415);
    await refuses(rest, { headers: {}, body: '{}' }, 415);
    await refuses(rest, { headers: { 'transfer-encoding': 'chunked' }, body: '{}' }, 415);
    for (const encoding of ['gzip', 'br', 'gzip, identity']) await refuses(rest, { headers: { ...json, 'content-encoding': encoding }, body: '{}' }, 415);
  });

  it('is refused when it is too large: unread where it says so, else from the first byte too many on', async () => {
    assert.equal((await send(rest, { body: `"${'x'.repeat(998)}"` })).status, 200);
    await refuses(rest, { body: `"${'x'.repeat(999)}"` }, 413);
    await refuses(rest, { headers: { ...json, 'content-length': '1000000000' } }, 413);
    await refuses(rest, { headers: { ...json, 'transfer-encoding': 'chunked' }, body: `"${'x'.repeat(100_000)}"` }, 413);
  });

  it('is refused with a header twice that says who asks', async () => {
    for (const name of ['Authorization', 'X-Firebase-AppCheck', 'Content-Type']) {
      const headers = ['content-type', 'application/json', 'authorization', 'Bearer a', 'x-firebase-appcheck', 'b', name, 'c'];
      await refuses(rest, { headers: ['host', 'x', ...headers], body: '{}' }, 400);
    }
  });

  it('is refused with more headers than 16 KB by the server itself', async () => {
    assert.equal((await send(rest, { method: 'GET', headers: { cookie: 'x'.repeat(17_000) } })).status, 431);
  });

  it('is refused with two lengths, or a length and chunks, by the server itself', async () => {
    for (const headers of ['content-length: 2\r\ncontent-length: 3', 'content-length: 2\r\ntransfer-encoding: chunked']) {
      const socket = connect(rest, '127.0.0.1');
      socket.end(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n\r\n{}`);
      assert.match((await socket.toArray()).join(''), /^HTTP\/1\.1 400 /, headers);
    }
  });

  it('is refused with an address that cannot be decoded', async () => {
    await refuses(rest, { method: 'GET', path: '/v1/%E0%A4%A', headers: {} }, 400);
    assert.equal((await send(rest, { method: 'GET', path: '/v1/a%20b?q=%E0%A4%A', headers: {} })).status, 200);
  });

  it('is refused by a callable under any other method than POST', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) assert.equal((await refuses(callable, { method, headers: {} }, 405)).headers.allow, 'POST, OPTIONS');
    assert.equal((await send(callable, { method: 'OPTIONS', headers: {} })).status, 200);
    assert.equal((await send(callable, { method: 'GET', path: '/__/health', headers: {} })).status, 200);
  });

  it('gets the headers of an API with every answer', async () => {
    for (const { headers } of [await send(rest, { body: '{}' }), await send(rest, { body: '{' })]) {
      assert.deepEqual(
        ['cache-control', 'content-security-policy', 'referrer-policy', 'strict-transport-security', 'x-content-type-options'].map((name) => headers[name]),
        ['no-store', "default-src 'none'; frame-ancestors 'none'", 'no-referrer', 'max-age=31536000', 'nosniff'],
      );
    }
  });

  it('is nobody\'s any more when the client gives up', async () => {
    const seen: string[] = [];
    const { server, port } = await serve();
    server.on('request', (incoming) => incoming.once('close', () => seen.push('closed')));
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"a"');
    await once(server, 'request');
    socket.destroy();
    while (seen.length === 0) await new Promise((resolve) => { setImmediate(resolve); });
    server.close();
    await once(server, 'close');
  });
});

describe('the guard', () => {
  const environment = { ...process.env };
  const original = http.createServer;
  afterEach(() => {
    http.createServer = original;
    process.env = { ...environment };
  });

  it('stands before the servers of HTTP functions only', () => {
    for (const [type, stands] of [['http', true], ['cloudevent', false], ['event', false], ['', false]] as const) {
      process.env['FUNCTION_SIGNATURE_TYPE'] = type;
      guardServer({});
      assert.equal(http.createServer !== original, stands, type);
      http.createServer = original;
    }
  });
});
