import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { geminiPath, geminiScript } from './gemini.ts';
import { openaiPath, openaiScript } from './openai.ts';
import type { Script, VendorMode } from './script.ts';

export { vendorModes, type VendorMode } from './script.ts';

/** One request as the vendor got it. */
export interface VendorRequest {
  method: string;
  /** Path with the query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Parsed JSON body. */
  body: unknown;
  /** Resolves when the connection is done with: true when the reply was sent whole, false when the client left. */
  closed: Promise<boolean>;
}

/** A running mock vendor. */
export interface MockVendor {
  /** Origin, such as `http://127.0.0.1:41234`: base URL of the Google SDKs; OpenAI's is this with `/v1`. */
  readonly url: string;
  /** How the next requests are answered. */
  mode: VendorMode;
  readonly requests: VendorRequest[];
  /** The next request to arrive from now on. */
  next(): Promise<VendorRequest>;
  close(): Promise<void>;
}

/**
 * Starts a server on this machine that speaks the streaming wires of Gemini (Gemini API and Vertex paths) and of
 * OpenAI (Chat Completions). Its errors repeat the key and the whole request, the worst a vendor could do.
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
    play(scriptFor(record, vendor.mode, text), response);
    waiting.forEach((resolve) => resolve(record));
    waiting = [];
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const vendor: MockVendor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode,
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

function scriptFor({ method, path, headers }: VendorRequest, mode: VendorMode, text: string): Script {
  const { pathname } = new URL(path, 'http://vendor');
  const key = headers['x-goog-api-key'] ?? headers.authorization;
  const leak = `key=${String(key)} request=${text}`;
  if (method === 'POST' && geminiPath.test(pathname)) return geminiScript(mode, leak);
  if (method === 'POST' && openaiPath.test(pathname)) return openaiScript(mode, leak);
  return { kind: 'json', status: 404, body: { error: { code: 404, message: 'no such path' } } };
}

function play(script: Script, response: ServerResponse): void {
  if (script.kind === 'silence') return;
  if (script.kind === 'json') {
    response.writeHead(script.status, { 'content-type': 'application/json' }).end(JSON.stringify(script.body));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const wire = script.data.map((data) => `data: ${data}\n\n`).join('');
  if (script.then === 'end') response.end(wire);
  else if (script.then === 'hang') response.write(wire);
  // Destroyed once the bytes left, so the client sees the beginning before the connection breaks.
  else response.write(wire, () => response.destroy());
}
