/** The REST interface: one HTTP request, one operation on one location. */

import { randomInt } from 'node:crypto';
import { DataError, PermissionError, StaleError } from './errors.ts';
import { hashNode } from './hash.ts';
import type { Namespace, WriteOptions } from './namespace.ts';
import { parsePath, type Path } from './path.ts';
import { queryFromUrl } from './rest-query.ts';
import type { Query } from './query.ts';
import type { Identity } from './rules.ts';
import { nodeAt, toJson, type DataNode, type Json } from './tree.ts';

/** A request for data. */
export interface RestRequest {
  database: Namespace;
  who: Identity;
  method: string;
  path: string;
  parameters: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** What to answer. `text` is JSON, or empty when there is nothing to say. */
export interface RestAnswer {
  status: number;
  text: string;
  etag?: string;
}

/** Carries out a request. */
export function answerRest(request: RestRequest): RestAnswer {
  try {
    const json = perform(request);
    const silent = request.parameters.get('print') === 'silent';
    const answer = silent ? { status: 204, text: '' } : { status: 200, text: write(json, request.parameters) };
    return request.headers['x-firebase-etag'] === 'true' ? { ...answer, etag: currentTag(request) } : answer;
  } catch (error) {
    if (!(error instanceof StaleError)) throw error;
    const current = request.database.read(request.who, parsePath(request.path), null);
    return { status: 412, text: write(toJson(current, { arrays: true }), request.parameters), etag: tagOf(current) };
  }
}

function perform(request: RestRequest): Json {
  const { database, who, path } = request;
  const options = writeOptions(request);
  switch (request.method) {
    case 'GET':
      return read(request);
    case 'PUT':
      return toJson(database.set(who, path, parseBody(request), options), { arrays: true });
    case 'POST': {
      const name = newKey(Date.now());
      database.set(who, `${path}/${name}`, parseBody(request), options);
      return { name };
    }
    case 'PATCH': {
      const patch = parseBody(request);
      const after = database.update(who, path, patch, options);
      return Object.fromEntries(Object.keys(patch as object).map((key) => [key, written(after, `${path}/${key}`)]));
    }
    case 'DELETE':
      database.set(who, path, null, options);
      return null;
    default:
      throw new DataError(`Unsupported method ${request.method}`);
  }
}

function written(root: DataNode, path: string): Json {
  return path.endsWith('.priority') ? null : toJson(nodeAt(root, parsePath(path)), { arrays: true });
}

function read(request: RestRequest): Json {
  const { database, who, parameters } = request;
  const path = parsePath(request.path);
  if (parameters.get('shallow') === 'true') return shallow(database.read(who, path, null));
  const query = indexedQuery(database, who, path, parameters);
  const exported = parameters.get('format') === 'export';
  return toJson(database.read(who, path, query), exported ? { export: true } : { arrays: query === null });
}

/** The query of a request. Only administrators may do without an index. */
export function indexedQuery(database: Namespace, who: Identity, path: Path, parameters: URLSearchParams): Query | null {
  const query = queryFromUrl(parameters);
  if (query === null || who.admin || database.rules.hasIndex(path, query)) return query;
  if (!database.rules.allowsRead(who, path, query, database.root, Date.now())) throw new PermissionError();
  const name = query.index.kind === 'child' ? query.index.path.join('/') : `.${query.index.kind}`;
  throw new DataError(`Index not defined, add ".indexOn": "${name}", for path "/${path.join('/')}", to the rules`);
}

function shallow(node: DataNode): Json {
  if (node.children.size === 0) return node.value;
  return Object.fromEntries([...node.children.keys()].map((key) => [key, true]));
}

function writeOptions(request: RestRequest): WriteOptions {
  const silent = request.parameters.get('disableTriggers') === 'true';
  const tag = request.headers['if-match'];
  return typeof tag === 'string' ? { silent, hash: tag === NO_DATA_TAG ? '' : tag } : { silent };
}

const NO_DATA_TAG = 'null_etag';

function tagOf(node: DataNode): string {
  return node.isEmpty ? NO_DATA_TAG : hashNode(node);
}

function currentTag(request: RestRequest): string {
  return tagOf(nodeAt(request.database.root, parsePath(request.path)));
}

function parseBody(request: RestRequest): unknown {
  try {
    return JSON.parse(request.body);
  } catch {
    throw new DataError('Invalid data; couldn\'t parse JSON object, array, or value.');
  }
}

function write(json: Json, parameters: URLSearchParams): string {
  return JSON.stringify(json, null, parameters.get('print') === 'pretty' ? 2 : 0);
}

const KEY_ALPHABET = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

/** A key that sorts after all keys made earlier, like those that clients make for new children. */
export function newKey(now: number): string {
  let time = '';
  for (let digits = 0, rest = now; digits < 8; digits++, rest = Math.floor(rest / 64)) {
    time = (KEY_ALPHABET[rest % 64] ?? '') + time;
  }
  return time + Array.from({ length: 12 }, () => KEY_ALPHABET[randomInt(64)] ?? '').join('');
}
