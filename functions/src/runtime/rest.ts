import compression from 'compression';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import { admit, callerOfVisit } from './admission.ts';
import type { Caller } from './caller.ts';
import { AppError, errorBody, httpStatusOf, toAppError } from './errors.ts';
import { runOperation, type Download, type Operation } from './operation.ts';
import { numericFields, openApiDocument } from './openapi.ts';
import { letGoOfBody } from './read-body.ts';
import { compressible, methodsAt, requireSameIds } from './rest-rules.ts';
import { writerTo } from './rest-writer.ts';

/** A check of the deployment's databases, for `/ready`. */
export type ReadinessCheck = () => Promise<Record<string, boolean>>;

/**
 * The HTTPS face of the operations: `/v1/...` by their routes, `/v1/openapi.json`, `/health` (the process answers)
 * and `/ready` (its databases do). Input is the JSON body, query and path parameters taken together. `files` are further
 * routes below `/v1`, which are no operations.
 */
export function restApi(operations: Operation[], ready: ReadinessCheck, files?: Router): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(compression({ threshold: 1_024, filter: (_request, response) => compressible(response.getHeader('content-type')) }));
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.set('access-control-expose-headers', 'content-disposition, retry-after');
    next();
  });
  app.get('/health', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/ready', async (_request, response) => {
    const checks = await ready();
    const ok = Object.values(checks).every(Boolean);
    response.status(ok ? 200 : 503).json({ status: ok ? 'ready' : 'not ready', checks });
  });
  let document: object | undefined;
  app.get('/v1/openapi.json', (_request, response) => void response.json(document ??= openApiDocument(operations)));
  for (const op of operations) {
    app[op.route.method](`/v1${op.route.path.replace(/\{(\w+)\}/g, ':$1')}`, (request, response) => serve(op, request, response));
  }
  if (files) app.use('/v1', files);
  app.use((request: Request, response: Response) => refuseMethod(methodsAt(operations, request.path), request, response));
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => sendError(response, isBadAddress(error) ? badAddress() : toAppError(error)));
  return app;
}

/** What no route has taken: another method of one that there is, or none at all. */
function refuseMethod(methods: string[], request: Request, response: Response): void {
  if (methods.length === 0) return sendError(response, new AppError('not-found', 'There is no such route. See /v1/openapi.json.', { reason: 'not_found' }));
  response.set('allow', methods.join(', '));
  if (request.method === 'OPTIONS') return void response.status(204).end();
  sendError(response, new AppError('invalid-argument', `This route takes ${methods.join(', ')}.`, { reason: 'bad_input' }), 405);
}

/** Whether Express itself refused the request, such as for a broken percent code. */
function isBadAddress(error: unknown): boolean {
  const status = (error as { status?: unknown }).status;
  return typeof status === 'number' && status >= 400 && status < 500;
}

function badAddress(): AppError {
  return new AppError('invalid-argument', 'The address of the request is not valid.', { reason: 'bad_input' });
}

/** How the answer of one call is written. */
interface Answer {
  emit: (chunk: unknown) => void;
  /** Resolves when there is room for more. */
  taken: () => Promise<void>;
  finish: (result: unknown) => void;
  /** Ends an answer that has begun. */
  fail: (error: AppError) => void;
}

async function serve(op: Operation, request: Request, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const answer = answerTo(op, request, response);
  const enter = (uid: string | null): Promise<void> => admit({ uid, request, appVerified: false, once: op.replayProtected === true });
  try {
    const calling = (): Promise<Caller | null> => callerOfVisit(request.headers.authorization, () => enter(null));
    const result = await runOperation(op, inputOf(op, request), calling, { emit: answer.emit, taken: answer.taken, signal: gone.signal, letGo: () => letGoOfBody(request), admit: async (caller) => {
      await enter(caller?.uid ?? null);
      requireSameIds(request.params, givenIn(op, request));
    } });
    answer.finish(result);
  } catch (error) {
    if (response.headersSent) answer.fail(toAppError(error));
    else sendError(response, toAppError(error));
  }
}

function answerTo(op: Operation, request: Request, response: Response): Answer {
  if (op.download) return fileAnswer(op, op.download, request, response);
  if (op.redirect) return redirectAnswer(op, response);
  const streams = op.chunk !== undefined && request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
  if (streams) return eventAnswer(response);
  return { emit: () => undefined, taken: () => Promise.resolve(), finish: (result) => response.json(result), fail: () => response.end() };
}

function eventAnswer(response: Response): Answer {
  const { write, taken } = writerTo(response);
  const send = (event: string, data: unknown): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  return {
    emit: (chunk) => send('chunk', chunk),
    taken,
    finish: (result) => {
      send('result', result);
      response.end();
    },
    fail: (error) => {
      send('error', errorBody(error));
      response.end();
    },
  };
}

/** A file, piece by piece. Once it has begun, a failure breaks the connection: nobody may take what has come for the whole. */
function fileAnswer(op: Operation, download: Download, request: Request, response: Response): Answer {
  const { write, taken } = writerTo(response);
  const begin = (): void => {
    if (response.headersSent) return;
    const { contentType, fileName } = download.file(op.input.parse(inputOf(op, request)) as never);
    response.set({ 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"`, 'cache-control': 'no-store' });
    // What is compressed may be held back for a while.
    response.flushHeaders();
  };
  return {
    emit: (chunk) => {
      begin();
      write((chunk as { text: string }).text);
    },
    taken,
    finish: () => {
      begin();
      response.end();
    },
    fail: () => response.destroy(),
  };
}

/** Leads to another address, which is for this caller and this moment only. */
function redirectAnswer(op: Operation, response: Response): Answer {
  return {
    emit: () => undefined,
    taken: () => Promise.resolve(),
    finish: (result) => response.writeHead(302, { location: op.redirect!(result), 'cache-control': 'private, no-store' }).end(),
    fail: () => response.end(),
  };
}

/** What an operation gets: what was sent, and the ids of the address. */
function inputOf(op: Operation, request: Request): unknown {
  return Array.isArray(request.body) ? request.body : { ...givenIn(op, request), ...request.params };
}

/** The query of a GET, the body of everything else. */
function givenIn(op: Operation, request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  if (op.route.method === 'get') return queryOf(op, request);
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body) ? body as Record<string, unknown> : {};
}

/** Query parameters as input: whole numbers become numbers where numbers are wanted, everything else stays text. */
function queryOf(op: Operation, request: Request): Record<string, unknown> {
  const numbers = numericFields(op);
  return Object.fromEntries(Object.entries(request.query).map(([key, value]) => [key, numbers.has(key) && typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value]));
}

function sendError(response: Response, error: AppError, status: number = httpStatusOf[error.code]): void {
  const retryAfterMs = error.details?.['retryAfterMs'];
  if (typeof retryAfterMs === 'number') response.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  response.status(status).json(errorBody(error));
}
