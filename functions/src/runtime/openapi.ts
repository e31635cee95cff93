import { z } from 'zod';
import { errorReasons, httpStatusOf } from './errors.ts';
import type { Operation } from './operation.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the REST routes, generated from the schemas that the operations are checked with. */
export function openApiDocument(operations: Operation[]): Json {
  const paths: Record<string, Json> = {};
  for (const op of operations) {
    const path = `/v1${op.route.path}`;
    paths[path] = { ...paths[path], [op.route.method]: describeOperation(op) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'JIGA', version: '1.0.0', description: 'Agents that see, speak and are paid for in DOFs.' },
    servers: [{ url: '.', description: 'The address of the function `api`.' }],
    paths,
    components: {
      securitySchemes: { firebaseIdToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A Firebase Auth ID token.' } },
      schemas: { Error: errorSchema },
    },
  };
}

const errorSchema: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { enum: Object.keys(httpStatusOf) },
        message: { type: 'string' },
        details: { type: 'object', required: ['reason'], properties: { reason: { enum: errorReasons }, retryAfterMs: { type: 'number', description: 'Not before so many ms.' } } },
      },
    },
  },
};

function describeOperation(op: Operation): Json {
  const { properties, required = [], ...rest } = inputSchema(op);
  const inPath = [...op.route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const inQuery = op.route.method === 'get' ? Object.keys(properties).filter((name) => !inPath.includes(name)) : [];
  const parameter = (name: string, place: string): Json => ({ name, in: place, required: place === 'path' || required.includes(name), schema: properties[name] });
  const inBody = Object.fromEntries(Object.entries(properties).filter(([name]) => !inPath.includes(name) && !inQuery.includes(name)));
  const body = { ...rest, properties: inBody, required: required.filter((name) => name in inBody) };
  return {
    operationId: op.name,
    summary: op.summary,
    ...(op.access === 'public' ? { security: [] } : { security: [{ firebaseIdToken: [] }] }),
    parameters: [...inPath.map((name) => parameter(name, 'path')), ...inQuery.map((name) => parameter(name, 'query'))],
    ...(Object.keys(inBody).length === 0 ? {} : { requestBody: { required: body.required.length > 0, content: json(body) } }),
    responses: {
      ...success(op),
      ...errors,
    },
  };
}

const errorContent = json({ $ref: '#/components/schemas/Error' });
const retryAfter: Json = { 'retry-after': { description: 'Seconds to wait, where that is known.', schema: { type: 'integer' } } };
/** Statuses of what is refused before it is an operation: another method, a body too large, one that is not JSON. */
const errors: Json = Object.fromEntries([...Object.values(httpStatusOf), 405, 413, 415].map((status) => [
  status, { description: 'Error', content: errorContent, ...([409, 429, 503].includes(status) ? { headers: retryAfter } : {}) },
]));

function success(op: Operation): Json {
  if (op.redirect) return { 302: redirect };
  if (op.download) return { 200: file(op.download.contentTypes) };
  const result = schemaOf(op.output, 'output');
  return { 200: { description: 'OK', content: { ...json(result), ...(op.chunk ? { 'text/event-stream': { schema: events(schemaOf(op.chunk, 'output'), result) } } : {}) } } };
}

/** The server-sent events of a streamed answer: chunks, then the result; or an error, which ends it. */
function events(chunk: Json, result: Json): Json {
  const event = (name: string, data: Json): Json => ({ type: 'object', required: ['event', 'data'], properties: { event: { const: name }, data } });
  return { oneOf: [event('chunk', chunk), event('result', result), event('error', { $ref: '#/components/schemas/Error' })] };
}

const redirect: Json = { description: 'Found: at an address that is valid for a short time.', headers: { location: { description: 'The address.', schema: { type: 'string', format: 'uri' } } } };

/** A download: as many media types as it can have, without their parameters. */
function file(contentTypes: readonly string[]): Json {
  const content = Object.fromEntries(contentTypes.map((type) => [type.split(';')[0]!, { schema: { type: 'string' } }]));
  const headers = { 'content-disposition': { description: 'The name of the file.', schema: { type: 'string' } } };
  return { description: 'A file. A connection that breaks before its end leaves it incomplete.', headers, content };
}

/** The input fields of an operation that are numbers: a query parameter is text until somebody says so. */
export function numericFields(op: Operation): Set<string> {
  return new Set(Object.entries(inputSchema(op).properties).flatMap(([name, { type }]) => (type === 'integer' || type === 'number' ? [name] : [])));
}

interface ObjectSchema extends Json {
  properties: Record<string, Json>;
  required?: string[];
}

function inputSchema(op: Operation): ObjectSchema {
  return { properties: {}, ...schemaOf(op.input, 'input') };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}
