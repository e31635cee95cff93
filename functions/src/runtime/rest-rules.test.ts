import assert from 'node:assert/strict';
import { z } from 'zod';
import { operation, type Operation } from './operation.ts';
import { compressible, methodsAt, requireSameIds } from './rest-rules.ts';

const at = (method: Operation['route']['method'], path: string): Operation =>
  operation({ name: 'doThing', summary: 'Does.', access: 'public', route: { method, path }, input: z.strictObject({}), output: z.object({}), handle: () => Promise.resolve({}) });
const operations = [at('get', '/things'), at('post', '/things'), at('patch', '/things/{id}'), at('delete', '/things/{id}'), at('post', '/things/{id}/end')];

describe('the methods of an address', () => {
  it('are those of its routes, with what HTTP adds to them', () => {
    assert.deepEqual(methodsAt(operations, '/v1/things'), ['GET', 'HEAD', 'OPTIONS', 'POST']);
    assert.deepEqual(methodsAt(operations, '/v1/things/a-1'), ['DELETE', 'OPTIONS', 'PATCH']);
    assert.deepEqual(methodsAt(operations, '/v1/things/a-1/end'), ['OPTIONS', 'POST']);
    for (const path of ['/health', '/ready', '/v1/openapi.json']) assert.deepEqual(methodsAt(operations, path), ['GET', 'HEAD', 'OPTIONS'], path);
  });

  it('are none where there is no route', () => {
    for (const path of ['/', '/v1', '/things', '/v1/things/', '/v1/things/a/b', '/v1/openapixjson']) assert.deepEqual(methodsAt(operations, path), [], path);
  });
});

describe('an id in the address', () => {
  it('may stand in the input again', () => {
    requireSameIds({ id: 'a' }, {});
    requireSameIds({ id: 'a' }, { id: 'a', name: 'b' });
  });

  it('may not be another one there', () => {
    for (const id of ['b', ['a'], 1, null, undefined]) assert.throws(() => requireSameIds({ id: 'a' }, { id }), { code: 'invalid-argument', details: { reason: 'bad_input' } });
  });
});

describe('an answer', () => {
  it('is compressed when it is data in one piece, not when it is events', () => {
    for (const type of ['application/json; charset=utf-8', 'application/x-ndjson', 'text/csv; charset=utf-8']) assert.ok(compressible(type), type);
    for (const type of ['text/event-stream', 'application/jsonp', 'image/jpeg', undefined]) assert.ok(!compressible(type), String(type));
  });
});
