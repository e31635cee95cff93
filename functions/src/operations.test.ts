import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { operations } from './operations.ts';
import { openApiDocument } from './runtime/openapi.ts';
import type { Operation } from './runtime/operation.ts';

const all: [string, Operation][] = Object.entries(operations);
const fieldsOf = (op: Operation): string[] => Object.keys((z.toJSONSchema(op.input, { io: 'input' }).properties ?? {}));
const inPath = (op: Operation): string[] => [...op.route.path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1]!);
const distinct = (list: string[]): boolean => new Set(list).size === list.length;

describe('the operations', () => {
  it('are kept under their own names, each once', () => {
    for (const [name, op] of all) assert.equal(op.name, name);
    assert.ok(distinct(all.map(([, op]) => op.name)));
  });

  it('have a route each, that no other one has', () => {
    for (const [, op] of all) assert.match(op.route.path, /^(\/([a-z][a-z-]*|\{\w+\}))+$/, op.name);
    assert.ok(distinct(all.map(([, op]) => `${op.route.method} ${op.route.path.replace(/\{\w+\}/g, '{}')}`)));
  });

  it('take every parameter of their path as input', () => {
    for (const [name, op] of all) for (const parameter of inPath(op)) assert.ok(fieldsOf(op).includes(parameter), `${name}: ${parameter}`);
  });

  it('refuse unknown input', () => {
    for (const [name, op] of all) assert.equal(z.toJSONSchema(op.input, { io: 'input' }).additionalProperties, false, name);
  });

  it('need a signed-in caller, but for the status of the service', () => {
    assert.deepEqual(all.filter(([, op]) => op.access === 'public').map(([name]) => name), ['getServerStatus']);
  });

  it('say what they are for in one sentence or two', () => {
    for (const [name, op] of all) assert.match(op.summary, /^[A-Z].*\.$/, name);
  });
});

describe('the OpenAPI document of the operations', () => {
  const document = JSON.parse(JSON.stringify(openApiDocument(Object.values(operations)))) as { paths: Record<string, Record<string, { operationId: string }>> };
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods)).map((each) => each.operationId);

  it('is valid', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    assert.ok(valid, JSON.stringify(errors));
  });

  it('describes each of them once', () => assert.deepEqual(ids.toSorted(), Object.keys(operations).toSorted()));

  it('names no key', () => assert.doesNotMatch(JSON.stringify(document), /api_?key|secret/i));
});
