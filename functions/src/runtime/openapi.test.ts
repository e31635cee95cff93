import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { errorReasons, httpStatusOf } from './errors.ts';
import { openApiDocument } from './openapi.ts';
import { operation, type Operation } from './operation.ts';

const result = z.object({ id: z.string(), at: z.iso.datetime().optional() });
const handle = () => Promise.resolve({ id: '' });
const shared = { summary: 'Does.', access: 'signed-in' as const, output: result, handle };
const sample: Operation[] = [
  operation({ ...shared, name: 'getThing', route: { method: 'get', path: '/things/{id}' }, input: z.strictObject({ id: z.string(), limit: z.int().default(5), part: z.string(), sort: z.string().optional() }) }),
  operation({ ...shared, name: 'changeThing', route: { method: 'patch', path: '/things/{id}' }, input: z.strictObject({ id: z.string(), name: z.string(), note: z.string().optional() }), chunk: z.object({ text: z.string() }) }),
  operation({ ...shared, name: 'renewThing', route: { method: 'post', path: '/things/{id}/renew' }, input: z.strictObject({ id: z.string(), until: z.string().optional() }) }),
  operation({ ...shared, name: 'showThing', route: { method: 'get', path: '/things/{id}/picture' }, input: z.strictObject({ id: z.string() }), redirect: ({ id }) => `https://pictures.example/${id}` }),
  operation({ ...shared, name: 'endThing', access: 'public', route: { method: 'post', path: '/things/{id}/end' }, input: z.strictObject({ id: z.string() }) }),
];

interface Described {
  operationId: string;
  security: object[];
  parameters: { name: string; in: string; required: boolean; schema: { type: string } }[];
  requestBody?: { required: boolean; content: Record<string, { schema: { properties: object; required: string[]; additionalProperties: boolean } }> };
  responses: Record<string, { headers?: object; content?: Record<string, { schema: { $ref?: string; oneOf?: { properties: { event: { const: string }; data: { $ref?: string; properties?: object } } }[] } }> }>;
}
const document = openApiDocument(sample);
const paths = document['paths'] as Record<string, Record<string, Described>>;
const get = paths['/v1/things/{id}']!['get']!;
const patch = paths['/v1/things/{id}']!['patch']!;
const end = paths['/v1/things/{id}/end']!['post']!;

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, as JSON', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
  });

  it('describes each operation at its route, two methods of one path side by side', () => {
    assert.deepEqual([get, patch, end].map((each) => each.operationId), ['getThing', 'changeThing', 'endThing']);
  });

  it('asks for a token unless the operation is public', () => {
    assert.deepEqual([get.security, end.security], [[{ firebaseIdToken: [] }], []]);
  });

  it('takes the fields of a GET from path and query, each once', () => {
    assert.deepEqual(get.parameters.map(({ name, in: place, required }) => [name, place, required]), [['id', 'path', true], ['limit', 'query', false], ['part', 'query', true], ['sort', 'query', false]]);
    assert.equal(get.requestBody, undefined);
  });

  it('takes the fields of any other method from path and body', () => {
    assert.deepEqual(patch.parameters.map(({ name, in: place }) => [name, place]), [['id', 'path']]);
    const { schema } = patch.requestBody!.content['application/json']!;
    assert.deepEqual([Object.keys(schema.properties), schema.required, schema.additionalProperties], [['name', 'note'], ['name'], false]);
    assert.equal(end.requestBody, undefined);
  });

  it('needs a body only where one of its fields is needed', () => {
    assert.deepEqual([patch.requestBody?.required, paths['/v1/things/{id}/renew']!['post']!.requestBody?.required], [true, false]);
  });

  it('offers a stream where the operation streams', () => {
    assert.deepEqual(Object.keys(patch.responses['200']!.content!), ['application/json', 'text/event-stream']);
    assert.deepEqual(Object.keys(get.responses['200']!.content!), ['application/json']);
    const events = patch.responses['200']!.content!['text/event-stream']!.schema.oneOf!.map(({ properties: { event, data } }) => [event.const, data.$ref ?? Object.keys(data.properties!)]);
    assert.deepEqual(events, [['chunk', ['text']], ['result', ['id', 'at']], ['error', '#/components/schemas/Error']]);
  });

  it('says where an operation leads elsewhere instead of answering', () => {
    const { responses } = paths['/v1/things/{id}/picture']!['get']!;
    assert.deepEqual([responses['200'], responses['302']!.content, Object.keys(responses['302']!.headers!)], [undefined, undefined, ['location']]);
  });

  it('describes every status that an error may have', () => {
    const statuses = [...new Set([...Object.values(httpStatusOf), 405, 413, 415])].map(String);
    for (const each of [get, patch, end]) {
      assert.deepEqual(Object.keys(each.responses).sort(), ['200', ...statuses].sort());
      for (const status of statuses) assert.equal(each.responses[status]!.content!['application/json']!.schema.$ref, '#/components/schemas/Error');
    }
    assert.deepEqual(['400', '409', '429', '503'].filter((status) => get.responses[status]!.headers !== undefined), ['409', '429', '503'], 'those that may say when to try again');
  });

  it('names every reason of an error', () => {
    const { schemas } = document['components'] as { schemas: { Error: { properties: { error: { properties: { details: { properties: { reason: { enum: string[] } } } } } } } } };
    assert.deepEqual(schemas.Error.properties.error.properties.details.properties.reason.enum, errorReasons);
  });
});
