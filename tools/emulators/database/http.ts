/** What comes in over plain HTTP: who asks, for what, and how refusals are put. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { actAs, ANONYMOUS, readCredential } from './auth.ts';
import type { Databases } from './databases.ts';
import { DataError, messageOf, PermissionError, TokenError } from './errors.ts';
import { backToWebSocket } from './long-poll.ts';
import { answerRest } from './rest.ts';
import { streamChanges } from './rest-stream.ts';
import type { Identity } from './rules.ts';
import { answerSettings, isSettingsAddress } from './settings.ts';

/** The database of requests that name none. */
const DEFAULT_DATABASE = 'fake-server';

/** The database that a URL is about. */
export function databaseName(url: URL): string {
  return url.searchParams.get('ns') ?? DEFAULT_DATABASE;
}

/** Answers one HTTP request. */
export async function handleHttp(databases: Databases, request: IncomingMessage, response: ServerResponse): Promise<void> {
  allowAllOrigins(request, response);
  try {
    if (request.method === 'OPTIONS') return sendJson(response, 204, '');
    const url = new URL(request.url ?? '/', 'http://localhost');
    await route(databases, request, response, url);
  } catch (error) {
    sendJson(response, statusOf(error), JSON.stringify({ error: messageOf(error) }));
  }
}

async function route(databases: Databases, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const method = methodOf(request, url);
  const who = identify(request, url);
  const name = databaseName(url);
  const { pathname: address, searchParams: parameters } = url;
  if (isSettingsAddress(address)) {
    if (!who.admin) throw new PermissionError();
    const strict = parameters.get('format') === 'strict';
    const text = answerSettings(databases, { method, address, database: name, body: await readBody(request), strict });
    return text === null ? notFound(response) : sendJson(response, 200, text);
  }
  if (address === '/.lp') return sendScript(response, backToWebSocket(parameters));
  if (!address.endsWith('.json')) return notFound(response);
  const path = decode(address.slice(0, -'.json'.length));
  const database = databases.get(name);
  if (method === 'GET' && String(request.headers.accept).includes('text/event-stream')) {
    return streamChanges(database, who, path, parameters, response);
  }
  const body = await readBody(request);
  const answer = answerRest({ database, who, method, path, parameters, headers: request.headers, body });
  if (answer.etag !== undefined) response.setHeader('ETag', answer.etag);
  sendJson(response, answer.status, answer.text);
}

function methodOf(request: IncomingMessage, url: URL): string {
  const override = request.headers['x-http-method-override'] ?? url.searchParams.get('x-http-method-override');
  return typeof override === 'string' ? override.toUpperCase() : request.method ?? 'GET';
}

function identify(request: IncomingMessage, url: URL): Identity {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? url.searchParams.get('access_token') ?? url.searchParams.get('auth');
  if (token === null) return ANONYMOUS;
  const { identity } = readCredential(token, Date.now());
  const override = url.searchParams.get('auth_variable_override');
  return identity.admin && override !== null ? actAs(parseOverride(override)) : identity;
}

function parseOverride(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError('auth_variable_override must be JSON');
  }
}

function decode(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    throw new DataError('Invalid path: it is not properly encoded');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function allowAllOrigins(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
  response.setHeader('Access-Control-Allow-Methods', 'GET, PUT, POST, PATCH, DELETE, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '*');
  response.setHeader('Access-Control-Expose-Headers', 'ETag');
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' });
  response.end(text);
}

function sendScript(response: ServerResponse, text: string | null): void {
  if (text === null) return notFound(response);
  response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-store' });
  response.end(text);
}

function notFound(response: ServerResponse): void {
  sendJson(response, 404, '{"error":"404 Not Found"}');
}

function statusOf(error: unknown): number {
  if (error instanceof PermissionError || error instanceof TokenError) return 401;
  if (error instanceof DataError) return 400;
  console.error(error);
  return 500;
}
