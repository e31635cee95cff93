import assert from 'node:assert/strict';
import { parseBody, requireEnvelope } from './body.ts';

const refused = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_input' } };
const parse = (text: string): unknown => parseBody(Buffer.from(text));
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('the body of a request', () => {
  it('is JSON in UTF-8', () => {
    assert.deepEqual(parse('{"data":{"name":"Änne 🎲","list":[1,null,true]}}'), { data: { name: 'Änne 🎲', list: [1, null, true] } });
    assert.equal(parse(''), undefined);
  });

  it('is refused when it is anything else, without a word of it', () => {
    for (const text of ['{"planted":', 'planted', '{"planted":1}}', '\uFEFF{}']) assert.throws(() => parse(text), { ...refused, message: 'The body is not valid JSON in UTF-8.' }, text);
    assert.throws(() => parseBody(Buffer.from([0x22, 0xff, 0x22])), refused);
  });

  it('is refused when it is far deeper or longer than any input', () => {
    assert.doesNotThrow(() => parse(nested(32)));
    assert.throws(() => parse(nested(33)), refused);
    assert.throws(() => parse(nested(40_000)), refused);
    assert.throws(() => parse(nested(1_000_000)), refused);
    for (const list of ['0,', '{},', '[],', '"a",'].map((value) => `[${value.repeat(10_000)}0]`)) assert.throws(() => parse(list), refused);
    assert.throws(() => parse(`[${'{},'.repeat(5_000_000)}`), { ...refused, message: /too many values/ }, 'not even parsed');
    assert.doesNotThrow(() => parse(JSON.stringify({ data: 'x'.repeat(10_000_000) })));
    assert.doesNotThrow(() => parse(JSON.stringify({ data: ', [{'.repeat(20_000) })), 'a text');
  });

  it('may have the whole numbers of mobile SDKs, and no other type', () => {
    const long = (value: unknown, type = 'type.googleapis.com/google.protobuf.Int64Value'): string => JSON.stringify({ data: { at: { '@type': type, value } } });
    assert.doesNotThrow(() => parse(long('5')));
    assert.doesNotThrow(() => parse(long('5', 'type.googleapis.com/google.protobuf.UInt64Value')));
    for (const text of [long('planted'), long(undefined), long('5', 'type.googleapis.com/google.protobuf.Any'), '{"data":{"@type":7}}']) assert.throws(() => parse(text), refused, text);
  });
});

describe('the envelope of a callable', () => {
  it('has the input and nothing else', () => {
    assert.doesNotThrow(() => requireEnvelope({ data: null }));
    for (const body of [undefined, null, 'text', [], {}, { input: 1 }, { data: 1, more: 2 }]) assert.throws(() => requireEnvelope(body), refused);
  });
});
