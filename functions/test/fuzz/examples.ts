import fc from 'fast-check';
import { z } from 'zod';

/** What can stand in a field of inputs, apart from ids of the test's own: of every kind of text and number some that a schema may take. */
const commonValues: unknown[] = [
  'a', 'some-id', 'Some words, as people write them.', 'name@mail.example', 'https://stream.example/live', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z', 'picture.jpg', 'c29tZSBieXRlcw==',
  `session.${'s'.repeat(32)}`, 0, 1, 5, 50, 100, 1_000, -1, true, false, null,
];

/** Values that exist where the inputs go to, such as ids, by the names of the fields that they may stand in. */
export type Own = Record<string, unknown[]>;

/** Inputs that a schema takes, or nearly: what fields say of each other is not looked at. */
export function examplesOf(schema: z.ZodType, own: Own = {}, name = ''): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) return examplesOf(schema.def.innerType as z.ZodType, own, name);
  if (schema instanceof z.ZodArray) return fc.array(examplesOf(schema.def.element as z.ZodType, own, name), { maxLength: 3 });
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries<z.ZodType>(schema.shape);
    const required = fields.filter(([, field]) => !field.safeParse(undefined).success).map(([key]) => key);
    return fc.record(Object.fromEntries(fields.map(([key, field]) => [key, examplesOf(field, own, key)])), { requiredKeys: required, noNullPrototype: true });
  }
  const fitting = [own[name] ?? [], [...commonValues, ...z.toJSONSchema(schema, { io: 'input' }).enum ?? []]].map((values) => values.filter((value) => schema.safeParse(value).success));
  const values = fitting.find((found) => found.length > 0);
  // Not reached by any schema so far: one that is, wants an example in commonValues.
  if (!values) throw new Error(`no example fits ${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))}`);
  return fc.constantFrom(...values);
}
