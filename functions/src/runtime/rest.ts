import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import { callerOfHeader } from './caller.ts';
import { AppError, httpStatusOf, toAppError } from './errors.ts';
import { runOperation, type Download, type Operation } from './operation.ts';
import { numericFields, openApiDocument } from './openapi.ts';

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
  app.get('/health', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/ready', async (_request, response) => {
    const checks = await ready();
    const ok = Object.values(checks).every(Boolean);
    response.status(ok ? 200 : 503).json({ status: ok ? 'ready' : 'not ready', checks });
  });
  app.get('/v1/openapi.json', (_request, response) => void response.json(openApiDocument(operations)));
  for (const op of operations) {
    app[op.route.method](`/v1${op.route.path.replace(/\{(\w+)\}/g, ':$1')}`, (request, response) => serve(op, request, response));
  }
  if (files) app.use('/v1', files);
  app.use((_request: Request, response: Response) => sendError(response, new AppError('not-found', 'There is no such route. See /v1/openapi.json.')));
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => sendError(response, isBadAddress(error) ? badAddress() : toAppError(error)));
  return app;
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
  finish: (result: unknown) => void;
  /** Ends an answer that has begun. */
  fail: (error: AppError) => void;
}

async function serve(op: Operation, request: Request, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const answer = answerTo(op, request, response);
  try {
    const caller = await callerOfHeader(request.headers.authorization);
    const result = await runOperation(op, inputOf(op, request), caller, { emit: answer.emit, taken: () => drained(response), signal: gone.signal });
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
  return streams ? eventAnswer(response) : { emit: () => undefined, finish: (result) => response.json(result), fail: () => response.end() };
}

function eventAnswer(response: Response): Answer {
  return {
    emit: (chunk) => sendEvent(response, 'chunk', chunk),
    finish: (result) => {
      sendEvent(response, 'result', result);
      response.end();
    },
    fail: (error) => {
      sendEvent(response, 'error', errorBody(error));
      response.end();
    },
  };
}

/** A file, piece by piece. Once it has begun, a failure breaks the connection: nobody may take what has come for the whole. */
function fileAnswer(op: Operation, download: Download, request: Request, response: Response): Answer {
  const begin = (): void => {
    if (response.headersSent) return;
    const { contentType, fileName } = download.file(op.input.parse(inputOf(op, request)) as never);
    response.writeHead(200, { 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"`, 'cache-control': 'no-store' });
  };
  return {
    emit: (chunk) => {
      begin();
      response.write((chunk as { text: string }).text);
    },
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
    finish: (result) => response.writeHead(302, { location: op.redirect!(result), 'cache-control': 'private, no-store' }).end(),
    fail: () => response.end(),
  };
}

/** Resolves when the caller has taken enough of what was written, or has gone. */
function drained(response: Response): Promise<void> {
  if (!response.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Path parameters win over the body, so that a route never acts on another id than the one in its address. */
function inputOf(op: Operation, request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  const fields = typeof body === 'object' && body !== null && !Buffer.isBuffer(body) ? body : {};
  if (Array.isArray(fields)) throw new AppError('invalid-argument', 'Send a JSON object.', { reason: 'bad_input' });
  return { ...(op.route.method === 'get' ? queryOf(op, request) : fields), ...request.params };
}

/** Query parameters as input: whole numbers become numbers where numbers are wanted, everything else stays text. */
function queryOf(op: Operation, request: Request): Record<string, unknown> {
  const numbers = numericFields(op);
  return Object.fromEntries(Object.entries(request.query).map(([key, value]) => [key, numbers.has(key) && typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value]));
}

function sendEvent(response: Response, event: string, data: unknown): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function sendError(response: Response, error: AppError): void {
  const retryAfterMs = error.details?.['retryAfterMs'];
  if (typeof retryAfterMs === 'number') response.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  response.status(httpStatusOf[error.code]).json(errorBody(error));
}

function errorBody({ code, message, details }: AppError): object {
  return { error: { code, message, ...(details ? { details } : {}) } };
}
