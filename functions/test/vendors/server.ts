import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { routes } from './routes.ts';
import type { Ending, Script, VendorMode, VendorRequest } from './script.ts';

export { vendorModes, type VendorMode, type VendorRequest } from './script.ts';

/** A running mock vendor. */
export interface MockVendor {
  /** Origin, such as `http://127.0.0.1:41234`: base URL of the Google SDKs; OpenAI's is this with `/v1`. */
  readonly url: string;
  /** How the next requests are answered. */
  mode: VendorMode;
  /** Where the mode `redirect` points, the same path there. */
  redirectTo: string;
  readonly requests: VendorRequest[];
  /** The next request to arrive from now on. */
  next(): Promise<VendorRequest>;
  close(): Promise<void>;
}

/**
 * Starts a server on this machine that speaks the wires of all vendors, see routes.ts. Its errors repeat the key and
 * the whole request, the worst a vendor could do.
 *
 * @param port A port that something else has to know beforehand; any free one by default.
 */
export async function startMockVendor(mode: VendorMode = 'ok', port = 0): Promise<MockVendor> {
  let waiting: ((request: VendorRequest) => void)[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const closed = new Promise<boolean>((resolve) => response.on('close', () => resolve(response.writableFinished)));
    const text = await bodyOf(request);
    const { method = '', url = '', headers } = request;
    const record: VendorRequest = { method, path: url, headers, body: JSON.parse(text || 'null'), closed };
    vendor.requests.push(record);
    const played = play(scriptFor(record, vendor, text), response);
    waiting.forEach((resolve) => resolve(record));
    waiting = [];
    await played;
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const vendor: MockVendor = {
    url,
    mode,
    redirectTo: url,
    requests: [],
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  return vendor;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function scriptFor(request: VendorRequest, { mode, redirectTo }: MockVendor, text: string): Script {
  const { method, path, headers } = request;
  if (mode === 'redirect') return { kind: 'json', status: 307, body: {}, headers: { location: `${redirectTo}${path}` } };
  const { pathname } = new URL(path, 'http://vendor');
  const key = headers['x-goog-api-key'] ?? headers.authorization;
  const route = routes.find((known) => known.method === method && known.path.test(pathname));
  return route?.script(mode, `key=${String(key)} request=${text}`, request) ?? { kind: 'json', status: 404, body: { error: { code: 404, message: 'no such path' } } };
}

async function play(script: Script, response: ServerResponse): Promise<void> {
  switch (script.kind) {
    case 'silence':
      return;
    case 'json':
      response.writeHead(script.status, { 'content-type': 'application/json', ...script.headers }).end(JSON.stringify(script.body));
      return;
    case 'bytes':
      response.writeHead(script.status, { 'content-type': script.type });
      return send(script.bytes, script.then ?? 'end', response);
    case 'stream':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return send(script.data.map((data) => `data: ${data}\n\n`).join(''), script.then, response);
    case 'endless':
      response.writeHead(200, { 'content-type': script.type });
      // Fails when the client leaves, as it should.
      await pipeline(pieces(script), response).catch(() => undefined);
  }
}

function* pieces({ first, piece, mostBytes }: Extract<Script, { kind: 'endless' }>): Generator<string> {
  yield first;
  for (let sent = 0; sent < mostBytes; sent += piece.length) yield piece;
}

function send(wire: string | Buffer, then: Ending, response: ServerResponse): void {
  if (then === 'end') response.end(wire);
  else if (then === 'hang') response.write(wire);
  // Destroyed once the bytes left, so the client sees the beginning before the connection breaks.
  else response.write(wire, () => response.destroy());
}
