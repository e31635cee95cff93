import fc from 'fast-check';
import type { z } from 'zod';
import { examplesOf, type Own } from './examples.ts';
import { changedAt, jsonOf, placesIn, textOf, type Json } from './json.ts';

/** Texts that programs trip over. */
export const trapTexts = [
  '', ' ', '\0', 'a\0b', '\n', '\r\n', '\u2028\u2029', '\x1b[2J', '\ud800', '\udc00', 'a\ud83d', '\udc00\ud800', '\ufeff', '\ufffe', '\uffff', '\u{10ffff}', '\u200b', '\u200d\u200d', '\u202e\u2066abc', '\u0130', 'ﬃ', '\u00e9', 'e\u0301', '\u212b', '\u00c5',
  `e${'\u0301'.repeat(5_000)}`, '👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'.repeat(2_000), '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '\u1d2c', '١٢٣', '１２３', 'ＩＤ', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '__id7__', '.', '..', '../..', 'a/b', '$ref', '#', '[0]', '%2e%2e%2f', '%', '${7*7}', '{{7*7}}',
  '<script>alert(1)</script>', '\' OR 1=1 --', 'NaN', 'null', 'undefined', '-0', '1e400', '9007199254740993', 'true', '2026-02-30T25:61:61Z', '+275760-09-13T00:00:00Z', '0000-00-00T00:00:00Z', 'javascript:alert(1)', 'https://[::1', 'https://a@b:0/', 'data:,', '"', '\\', '\\u0000', '{"a":1}',
];

/** Texts on which an expression that looks back again and again would take for ever, and texts about as long as a body may be. */
const longTexts = [
  ...['a', '0', '-', '_', '.', ' ', '@', '=', 'a.', 'a@', 'a-', '0.', '\t', '\u{1f600}', '%41', 'https://'].flatMap((part) => [40, 5_000, 20_000].flatMap((times) => [part.repeat(times), `${part.repeat(times)}!`, `a@${part.repeat(times)}\0`])),
  'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(128), 'x'.repeat(129), 'x'.repeat(200), 'x'.repeat(201), 'x'.repeat(64_000), 'x'.repeat(65_400), 'x'.repeat(70_000),
];

const numbers = ['0', '-0', '-1', '1.5', '1e400', '-1e400', '1e-320', '5e-324', '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '1e308', '0.1e1', '1E+2', '2147483648', '4294967296', `${'9'.repeat(400)}`, `0.${'0'.repeat(400)}1`];

/** Keys that every object has without anybody having written them, and others that mean something to somebody. */
const trapKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'then', 'toJSON', '@type', '', ' ', '.', '$', 'a.b', 'a[0]', '0', '\0', '\ud800', '\u202e', 'ownerId', 'uid', 'admin', 'price', 'k'.repeat(5_000), '👩‍👩‍👧‍👦'.repeat(500)];

const nested = (depth: number, open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
const structures = [
  '{}', '[]', '[[]]', '[null]', '{"a":{}}', '{"__proto__":null}', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}', '{"toString":1}', '{"toJSON":1,"valueOf":null}', '{"length":1e9}', '{"then":{}}', '{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"1"}',
  '{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"x"}', '{"@type":"x"}', nested(31, '[', ']'), nested(33, '{"a":', '}'), nested(10_000, '[', ']'), nested(10_000, '{"a":', '}'), `[${'0,'.repeat(9_000)}0]`, `[${'0,'.repeat(32_000)}0]`, `[${'{},'.repeat(11_000)}{}]`,
  `{${Array.from({ length: 2_000 }, (_, index) => `"k${index}":${index}`).join()}}`,
];

const text = (value: string): Json => ({ text: JSON.stringify(value) });
const raw = (value: string): Json => ({ text: value });

/** Texts of any code units, halves of pairs too. */
const anyTexts = fc.oneof(fc.string({ maxLength: 40 }), fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)));

/** What nobody means, of any kind. The long ones are rare, since they take their time. */
const hostileValues: fc.Arbitrary<Json> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...trapTexts.filter(({ length }) => length < 100)).map(text) },
  { weight: 5, arbitrary: anyTexts.map(text) },
  { weight: 1, arbitrary: fc.constantFrom(...trapTexts.filter(({ length }) => length >= 100), ...longTexts).map(text) },
  { weight: 5, arbitrary: fc.constantFrom(...numbers, 'true', 'false', 'null').map(raw) },
  { weight: 2, arbitrary: fc.double().filter(Number.isFinite).map((value) => raw(JSON.stringify(value))) },
  { weight: 4, arbitrary: fc.constantFrom(...structures.filter(({ length }) => length < 1_000)).map(raw) },
  { weight: 1, arbitrary: fc.constantFrom(...structures).map(raw) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }).map(jsonOf) },
);

const keys = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...trapKeys) }, { weight: 1, arbitrary: anyTexts });

type Change = (part: Json) => Json;
const withField = (key: string, value: Json): Change => (part) => ({ fields: [...('fields' in part ? part.fields : []), [key, value]] });
/** Has every key twice: the last one counts. */
const doubled = (value: Json): Change => (part) => ('fields' in part ? { fields: [...part.fields, ...part.fields.map(([key]): [string, Json] => [key, value])] } : part);
const without = (nth: number): Change => (part) => ('fields' in part ? { fields: part.fields.filter((_, index) => index !== nth % part.fields.length) } : part);
const wrapped: Change[] = [(part) => ({ items: [part] }), (part) => ({ fields: [['value', part]] }), (part) => text(textOf(part))];

/** What is done to one place of an input. */
const changes: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: hostileValues.map((value): Change => () => value) },
  { weight: 3, arbitrary: fc.tuple(keys, hostileValues).map(([key, value]) => withField(key, value)) },
  { weight: 1, arbitrary: hostileValues.map(doubled) },
  { weight: 1, arbitrary: fc.nat().map(without) },
  { weight: 1, arbitrary: fc.constantFrom(...wrapped) },
);

/** JSON texts that begin as an input of the schema and were changed at one place or some. */
export function hostileInputs(schema: z.ZodType, own: Own = {}): fc.Arbitrary<string> {
  return fc.tuple(examplesOf(schema, own), fc.array(fc.tuple(fc.nat(), changes), { minLength: 1, maxLength: 3 })).map(([example, all]) => textOf(all.reduce((json, [nth, change]) => {
    const places = placesIn(json);
    return changedAt(json, places[nth % places.length]!, change);
  }, jsonOf(example))));
}

/** Bodies that are no JSON, or less than that. */
export function brokenBodies(input: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc.constantFrom('', ' ', '{', '}', '[', '"', '"\ud800', '\0', 'null', 'undefined', 'NaN', '{"data":NaN}', '{"data":}', '{data:{}}', "{'data':{}}", '{"data":{},}', '{"data":01}', '{"data":{}}{}', '/**/{"data":{}}', '\ufeff{"data":{}}', '\u00a0{"data":{}}', '{"data":"\n"}', '{"data":"\\x"}', '{"data":"\\ud800', '-', '1e', 'tru', '{"data":{}}\0', `${'['.repeat(60_000)}`, `${'{"a":'.repeat(12_000)}`, '{"data":{},"data":{}}', '{"data":{},"more":1}', '[]', '[{"data":{}}]', '"data"', '1', 'true').map((body) => Buffer.from(body)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(input, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([body, at, byte]) => {
      const bytes = Buffer.from(`{"data":${body}}`);
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
    fc.tuple(input, fc.nat()).map(([body, length]) => Buffer.from(`{"data":${body}}`).subarray(0, length % (body.length + 9))),
  );
}
