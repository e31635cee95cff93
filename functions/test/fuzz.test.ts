import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { operations } from '../src/operations.ts';
import { parseBody, requireEnvelope } from '../src/runtime/body.ts';
import { AppError, errorBody } from '../src/runtime/errors.ts';
import { useLog } from '../src/runtime/log.ts';
import { runOperation, type Operation } from '../src/runtime/operation.ts';
import { bounded } from './fuzz/bounded.ts';
import { assertNoEcho } from './fuzz/echo.ts';
import { examplesOf } from './fuzz/examples.ts';
import { brokenBodies, hostileInputs } from './fuzz/hostile.ts';
import { fuzzSeed } from './fuzz/seed.ts';

const all: Operation[] = Object.values(operations);
const caller = { uid: 'u1', email: null, emailVerified: false, admin: true };

/** What a call came to: its error, or the input as the handler got it. */
type Outcome = { error: AppError } | { input: unknown };

/** Does with a body what a function does, but for what the operation is there for. */
async function answer(op: Operation, body: Buffer): Promise<Outcome> {
  const got: unknown[] = [];
  const spied: Operation = { ...op, output: z.unknown(), handle: (input) => Promise.resolve(got.push(input)) };
  try {
    const parsed = parseBody(body);
    requireEnvelope(parsed);
    await runOperation(spied, (parsed as { data: unknown }).data, caller, { emit: () => undefined, signal: new AbortController().signal });
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.deepEqual(got, [], 'the handler was not reached');
    return { error };
  }
  assert.equal(got.length, 1);
  return { input: got[0] };
}

/** Fails when an input that the property will try takes for ever to be looked at: here it can be stopped. */
function assertBounded(op: Operation, bodies: fc.Arbitrary<Buffer>, numRuns: number): void {
  const tried = fc.sample(bodies, { seed: fuzzSeed, numRuns });
  let last: Buffer | undefined;
  const look = (): void => {
    for (const body of tried) {
      last = body;
      try {
        op.input.safeParse((parseBody(body) as { data?: unknown } | undefined)?.data);
      } catch (error) {
        assert.ok(error instanceof AppError, String(error));
      }
    }
  };
  try {
    bounded(look);
  } catch (error) {
    assert.fail(`${String(error)} at ${String(last).slice(0, 500)}`);
  }
}

/** Fails unless an input, as a handler gets it, is made of nothing but what the schema names, in values that databases can take. */
function assertNamed(schema: z.ZodType, input: unknown): void {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) return assertNamed(schema.def.innerType as z.ZodType, input);
  if (typeof input === 'number') assert.ok(Number.isFinite(input) && Math.abs(input) <= Number.MAX_SAFE_INTEGER, String(input));
  if (Array.isArray(input)) return input.forEach((item) => assertNamed((schema as z.ZodArray<z.ZodType>).def.element, item));
  if (typeof input !== 'object' || input === null) return;
  assert.equal(Object.getPrototypeOf(input), Object.prototype);
  const { shape } = schema as z.ZodObject<Record<string, z.ZodType>>;
  for (const [name, value] of Object.entries(input)) {
    assert.ok(Object.hasOwn(shape, name), `${name} is no field`);
    assertNamed(shape[name]!, value);
  }
}

/** Fails unless a refusal is one of the input, and says what is wrong without repeating it. */
function assertRefusal(error: AppError, body: Buffer): void {
  assert.deepEqual([error.code, error.details?.reason], ['invalid-argument', 'bad_input'], error.message);
  assertNoEcho(JSON.stringify(errorBody(error)), body.toString());
}

const toBody = (input: string): Buffer => Buffer.from(`{"data":${input}}`);

/** Fails unless every body is refused as bad input, or is one of those that the schema takes; of the former there are some. */
async function tryAll(op: Operation, bodies: fc.Arbitrary<Buffer>, numRuns: number): Promise<void> {
  let refused = 0;
  assertBounded(op, bodies, numRuns);
  await fc.assert(fc.asyncProperty(bodies, async (body) => {
    const outcome = await answer(op, body);
    if ('input' in outcome) return assertNamed(op.input, outcome.input);
    refused += 1;
    assertRefusal(outcome.error, body);
  }), { seed: fuzzSeed, numRuns });
  assert.ok(refused > numRuns / 10, `${refused} of ${numRuns} were refused`);
}

describe('inputs made up from the schema of an operation', () => {
  const untouched = Object.getOwnPropertyNames(Object.prototype).toSorted();

  before(() => useLog({ info: () => undefined, warn: () => undefined, write: (entry) => assert.fail(JSON.stringify(entry)) }));
  after(() => useLog(null));
  afterEach(() => assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).toSorted(), untouched));

  for (const op of all) {
    it(`${op.name} takes some of those that fit`, () => {
      const taken = fc.sample(examplesOf(op.input), { seed: fuzzSeed, numRuns: 300 }).filter((example) => op.input.safeParse(example).success);
      assert.ok(taken.length >= 30, `${taken.length} of 300`);
    });

    it(`${op.name} gets nothing but what its schema names, and refuses the rest in a few words`, async function () {
      this.timeout(60_000);
      await tryAll(op, hostileInputs(op.input).map(toBody), 2_000);
    });

    it(`${op.name} refuses bodies that are broken`, () => tryAll(op, brokenBodies(hostileInputs(op.input)), 300));
  }
});

describe('the bound of work', () => {
  it('stops an expression that looks back for ever', () => {
    assert.throws(() => bounded(() => /^(a+)+$/.test(`${'a'.repeat(60)}!`), 200), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
    assert.equal(bounded(() => /^a+$/.test('aaa'), 200), true);
  });
});
