import { connect } from 'node:net';
import fc from 'fast-check';
import type { Operation } from '../../src/runtime/operation.ts';
import type { Sent } from '../raw-http.ts';

/** The value of a JSON text; undefined for a text that is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether an operation may take an input, wherever its route puts it: what no schema takes writes nothing. */
export function mayBeTaken({ input, route }: Operation, text: string): boolean {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return input.safeParse({}).success;
  const inPath = Object.fromEntries([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, pathValue((value as Record<string, unknown>)[name])]));
  return [value, { ...value, ...inPath }].some((given) => input.safeParse(given).success);
}

const pathValue = (value: unknown): string => (typeof value === 'string' && value !== '' ? value.toWellFormed() : 'some-id');

/** An input as a call of the operation's route: ids in the path, the fields of a GET as its query, all else in the body. */
export function overRest({ route }: Operation, text: string, headers: Record<string, string>): Sent {
  const value = parsed(text);
  const fields = typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
  const path = `/v1${route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(pathValue(fields[name])))}`;
  if (route.method !== 'get') return { method: route.method.toUpperCase(), path, headers: { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }, body: text };
  const query = Object.entries(fields).map((pair) => pair.map((part) => encodeURIComponent(asText(part).toWellFormed())).join('=')).join('&');
  // Addresses have a limit of their own, which is the platform's.
  return { method: 'GET', path: `${path.slice(0, 4_000)}?${query.slice(0, 8_000).replace(/%.?$/, '')}`, headers };
}

/** What is nested too deeply for a text stays out of an address. */
function asText(value: unknown): string {
  try {
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch {
    return 'deep';
  }
}

const contentTypes = [
  'application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json; charset=utf-16', 'application/json; charset=planted', 'application/json;charset=', 'application/json, text/plain', 'application/json+x', 'text/json', 'text/plain', 'text/html', 'application/octet-stream',
  'application/x-www-form-urlencoded', 'multipart/form-data', 'multipart/form-data; boundary=x', 'application/cloudevents+json', 'application/x-ndjson', '', ';', '/', 'json', '*/*', 'a'.repeat(4_000),
];

/** Headers about a body that are wrong, odd, or contradict it. */
export const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...contentTypes).map((type) => ({ 'content-type': type })) },
  { weight: 1, arbitrary: fc.constantFrom('gzip', 'br', 'deflate', 'identity', 'planted', 'gzip, gzip', '').map((coding) => ({ 'content-type': 'application/json', 'content-encoding': coding })) },
  { weight: 2, arbitrary: fc.constant({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom('Bearer', 'Bearer ', 'Bearer a.b.c', 'Basic YTpi', `Bearer ${'x'.repeat(8_000)}`, 'bearer \u00ff', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.').map((authorization) => ({ 'content-type': 'application/json', authorization })) },
);

/** What the parser of HTTP gets to see when somebody gives up, or does not keep to the protocol. Each breaks off, so that there may be no answer. */
export function brokenRequests(path: string, token: string): string[] {
  const head = (...lines: string[]): string => [`POST ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, 'content-type: application/json', ...lines, '', ''].join('\r\n');
  return [
    `${head('content-length: 1000')}{"data":`, `${head('content-length: 5')}{"data":{}}`, `${head('transfer-encoding: chunked')}5\r\n{"dat`, `${head('transfer-encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`, `${head('transfer-encoding: chunked')}ffffffffffffffff\r\n{}`,
    `${head('content-length: -1')}{}`, `${head('content-length: 1e3')}{}`, `${head('content-length: 2', 'content-length: 3')}{}`, `${head('content-length: 2', 'transfer-encoding: chunked')}{}`, head('content-length: 0'), head('expect: 100-continue', 'content-length: 2'), head('expect: planted', 'content-length: 2'),
    head(`x-long: ${'x'.repeat(70_000)}`), head('\0: a'), head('no colon'), `${head('upgrade: websocket', 'connection: upgrade', 'content-length: 0')}`, `POST ${path}\0 HTTP/1.1\r\nhost: x\r\n\r\n`, `POST ${path} HTTP/9.9\r\nhost: x\r\n\r\n`, 'GET\r\n\r\n', '\r\n\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', `POST ${path} HTTP/1.1\r\n\r\n`,
    `POST http://[::1/ HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`, `POST //evil.example HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`, `TRACE ${path} HTTP/1.1\r\nhost: x\r\n\r\n`, `CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n`,
  ];
}

/** Writes bytes to a server and leaves once it has answered or closed, or a moment later; gives what came back. */
export async function sendBytes({ url }: { url: string }, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => { answer += text; }).on('error', () => undefined);
  socket.setTimeout(5_000, () => socket.destroy());
  const closed = new Promise((resolve) => { socket.on('close', resolve); });
  socket.end(bytes, 'latin1');
  await closed;
  return answer;
}
