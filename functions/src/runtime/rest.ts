import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { callerOfHeader } from './caller.ts';
import { AppError, httpStatusOf, toAppError } from './errors.ts';
import { runOperation, type Operation } from './operation.ts';
import { openApiDocument } from './openapi.ts';

/** A check of the deployment's databases, for `/ready`. */
export type ReadinessCheck = () => Promise<Record<string, boolean>>;

/**
 * The HTTPS face of the operations: `/v1/...` by their routes, `/v1/openapi.json`, `/health` (the process answers)
 * and `/ready` (its databases do). Input is the JSON body, query and path parameters taken together.
 */
export function restApi(operations: Operation[], ready: ReadinessCheck): Express {
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

async function serve(op: Operation, request: Request, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const streams = op.chunk !== undefined && request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
  const emit = streams ? (chunk: unknown) => sendEvent(response, 'chunk', chunk) : () => undefined;
  try {
    const caller = await callerOfHeader(request.headers.authorization);
    const result = await runOperation(op, inputOf(op, request), caller, { emit, signal: gone.signal });
    if (streams) sendEvent(response, 'result', result);
    else response.json(result);
  } catch (error) {
    if (response.headersSent) sendEvent(response, 'error', errorBody(toAppError(error)));
    else sendError(response, toAppError(error));
  }
  response.end();
}

/** Path parameters win over the body, so that a route never acts on another id than the one in its address. */
function inputOf(op: Operation, request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  const fields = typeof body === 'object' && body !== null && !Buffer.isBuffer(body) ? body : {};
  if (Array.isArray(fields)) throw new AppError('invalid-argument', 'Send a JSON object.', { reason: 'bad_input' });
  return { ...(op.route.method === 'get' ? queryOf(request) : fields), ...request.params };
}

/** Query parameters as input: whole numbers become numbers, everything else stays text. */
function queryOf(request: Request): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request.query).map(([key, value]) => [key, typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value]));
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
