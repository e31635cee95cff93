import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { HttpsError } from 'firebase-functions/https';
import { badInput, parseBody, requireEnvelope } from './body.ts';
import { errorBody, toAppError, type AppError } from './errors.ts';
import { addressOf, type Operation } from './operation.ts';
import { browserOrigins } from './params.ts';
import { readBody } from './read-body.ts';

/** Most bytes of the body of an operation that does not say otherwise. */
const usualBodyBytes = 65_536;
/** What an answer of an API has to say to a browser that shows it as a page. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};
/** Headers that decide who is asking and what for: of two of them nobody could say which one counts. */
const onceOnly = new Set(['authorization', 'content-encoding', 'content-type', 'x-firebase-appcheck']);

/** What a function takes. */
export interface Rules {
  /** Whether it speaks the protocol of callables; otherwise it is the REST API. */
  callable: boolean;
  maxBodyBytes: number;
  /** Addresses that take larger bodies. */
  larger: { address: RegExp; maxBodyBytes: number }[];
  /** Origins whose browsers are told why a request is refused; true: all. */
  origins: boolean | string[];
}

/** A request that is refused before anybody looks at its input. */
interface Refusal {
  status: number;
  error: AppError;
  allow?: string;
}

/**
 * Has every request of an HTTP function looked at before the platform's framework sees it, which would read bodies of up
 * to 1 GB into memory, unpack them, and answer what it cannot parse with a page of HTML and a stack. The framework makes its
 * server after it has loaded the functions and offers no other way in. Does nothing for triggers.
 */
export function guardServer(operations: Record<string, Operation>): void {
  const { FUNCTION_SIGNATURE_TYPE: signature, FUNCTION_TARGET: target = '' } = process.env;
  if (signature !== 'http') return;
  const op = Object.hasOwn(operations, target) ? operations[target] : undefined;
  const larger = Object.values(operations).flatMap(({ route, maxBodyBytes }) => (op || maxBodyBytes === undefined ? [] : [{ address: addressOf(route), maxBodyBytes }]));
  const rules: Rules = { callable: op !== undefined, maxBodyBytes: op?.maxBodyBytes ?? usualBodyBytes, larger, origins: browserOrigins() };
  const createServer = http.createServer.bind(http) as (...given: unknown[]) => http.Server;
  http.createServer = ((...given: unknown[]) => createServer(...given.map((each) => (typeof each === 'function' ? guarded(each as RequestListener, rules) : each))));
}

/** The listener behind the guard: it gets requests with their JSON parsed, and nothing else. */
export function guarded(listener: RequestListener, rules: Rules): RequestListener {
  return (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const refused = refusalOf(request, rules);
    if (refused) refuse(request, response, refused, rules);
    else if (!mustParse(request, rules)) listener(request, response);
    else void parsed(request, response, rules).then((refusal) => (refusal ? refuse(request, response, refusal, rules) : listener(request, response)));
  };
}

/** What the head of a request already tells. Paths that begin with `/__/` are those by which the emulator looks after its workers. */
function refusalOf({ method, url = '', headers, rawHeaders }: IncomingMessage, rules: Rules): Refusal | null {
  const { callable } = rules;
  const maxBodyBytes = mostBytesAt(url, rules);
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()).filter((name) => onceOnly.has(name));
  if (!isAddress(url)) return { status: 400, error: badInput('The address of the request is not valid.') };
  if (new Set(names).size < names.length) return { status: 400, error: badInput('A header of the request is there twice.') };
  if (callable && method !== 'POST' && method !== 'OPTIONS' && !url.startsWith('/__/')) return { status: 405, error: badInput('Callable functions take POST only.'), allow: 'POST, OPTIONS' };
  if (Number(headers['content-length'] ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes);
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') return { status: 415, error: badInput('Send the body without content-encoding.') };
  const type = headers['content-type']?.split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json' && Number(headers['content-length'] ?? headers['transfer-encoding']?.length ?? 0) > 0) return { status: 415, error: badInput('Send the body as application/json.') };
  return null;
}

/** Whether a request asks for a path, or a whole address, that can be read: for anything else the router has a page of its own. */
function isAddress(url: string): boolean {
  try {
    return (url.startsWith('/') || new URL(url).host !== '') && decodeURIComponent(url.split('?')[0]!) !== '';
  } catch {
    return false;
  }
}

function mostBytesAt(url: string, { maxBodyBytes, larger }: Rules): number {
  const [path = ''] = url.split('?');
  return larger.find(({ address }) => address.test(path))?.maxBodyBytes ?? maxBodyBytes;
}

function tooLarge(maxBodyBytes: number): Refusal {
  return { status: 413, error: badInput(`The body is too large: at most ${maxBodyBytes} bytes.`) };
}

/** Whether there is a body, or should be one: a callable has its input there. */
function mustParse({ method, url = '', headers }: IncomingMessage, { callable }: Rules): boolean {
  const expected = callable && method === 'POST' && !url.startsWith('/__/');
  return expected || headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
}

/** Reads and parses the body, such that the framework's parsers take it as done. Null when nothing is wrong with it. */
async function parsed(request: IncomingMessage, response: ServerResponse, rules: Rules): Promise<Refusal | null> {
  const maxBodyBytes = mostBytesAt(request.url ?? '', rules);
  try {
    const bytes = await readBody(request, response, maxBodyBytes);
    if (bytes === null) return tooLarge(maxBodyBytes);
    const body = parseBody(bytes);
    if (rules.callable) requireEnvelope(body);
    Object.assign(request, { body, _body: true });
    return null;
  } catch (error) {
    return { status: 400, error: toAppError(error) };
  }
}

function refuse({ headers: { origin } }: IncomingMessage, response: ServerResponse, { status, error, allow }: Refusal, { callable, origins }: Rules): void {
  if (origin !== undefined && (origins === true || (origins !== false && origins.includes(origin)))) response.setHeader('access-control-allow-origin', origin).setHeader('vary', 'Origin');
  if (allow) response.setHeader('allow', allow);
  const { code, message, details } = error;
  const body = callable ? { error: new HttpsError(code, message, details).toJSON() } : errorBody(error);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
