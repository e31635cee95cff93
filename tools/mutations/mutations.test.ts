import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inParallel } from '../parallel.ts';
import { FUNCTIONS, ROOT } from '../paths.ts';
import { guards, mutate, occurrences, type Mutation } from './mutation.ts';
import { mutations, selectMutations, testRunsOf } from './mutations.ts';
import { lineOf, summaryOf, tableOf } from './report.ts';
import { runMutant, runUnmutated, type Verdict } from './run.ts';

describe('mutants: the list', () => {
  it('finds every guard exactly once', () => {
    const found = mutations.map(({ file, find }) => ({ file, find, times: occurrences(readFileSync(join(FUNCTIONS, 'src', file), 'utf8'), find) }));
    assert.deepEqual(found.filter(({ times }) => times !== 1), []);
    for (const { find, replace } of mutations) assert.notEqual(find, replace);
  });

  it('names tests that exist', () => {
    for (const { file, grep } of testRunsOf(mutations)) {
      assert.ok(existsSync(join(ROOT, file)), file);
      assert.ok(grep !== '');
    }
  });

  it('has every kind of guard, and every mutant once', () => {
    for (const guard of guards) assert.ok(mutations.some((each) => each.guard === guard), guard);
    assert.equal(new Set(mutations.map(({ file, find, replace }) => `${file} ${find} ${replace}`)).size, mutations.length);
    assert.equal(new Set(mutations.map(({ what }) => what)).size, mutations.length);
  });

  it('is searched by guard, file and sentence', () => {
    assert.deepEqual(selectMutations([]), mutations);
    assert.ok(selectMutations(['FENCE']).every(({ guard, what, file }) => /fence/i.test(`${guard} ${what} ${file}`)));
    assert.deepEqual(selectMutations(['close once', 'meter.ts', 'reason']).map(({ what }) => what), ['Closing a meter again changes its reason.']);
    assert.deepEqual(selectMutations(['nothing is called this']), []);
  });
});

describe('mutants: a source without its guard', () => {
  const mutation = { file: 'a.ts', find: 'b', replace: "$&'" };

  it('has the replacement as it is written', () => assert.equal(mutate('abc', mutation), "a$&'c"));

  it('is refused when the guard is gone or not the only one', () => {
    assert.throws(() => mutate('ac', mutation), /a.ts has 0 times: b/);
    assert.throws(() => mutate('abcb', mutation), /a.ts has 2 times: b/);
  });
});

describe('mutants: a run', function () {
  this.timeout(120_000);
  const { signal } = new AbortController();
  const meter = { file: 'functions/src/live/meter.test.ts', grep: 'keeps the first reason' };
  const mutant: Mutation = { guard: 'close once', what: 'Closing again.', file: 'live/meter.ts', find: 'return meter.open ? {', replace: 'return meter ? {', tests: [meter] };
  const verdictOf = async (parts: Partial<Mutation>): Promise<[string, string]> => {
    const { verdict, by } = await runMutant({ ...mutant, ...parts }, signal);
    return [verdict, by];
  };

  it('kills a mutant with the test that fails, the first that does', async () => {
    assert.deepEqual(await verdictOf({}), ['killed', 'meter: closing keeps the first reason']);
    assert.deepEqual(await verdictOf({ tests: [{ ...meter, grep: 'fails closed' }, meter] }), ['killed', 'meter: closing keeps the first reason']);
  });

  it('tells what survives', async () => assert.deepEqual(await verdictOf({ tests: [{ ...meter, grep: 'fails closed' }] }), ['survived', '']));

  it('calls a mutant invalid that is no program, or that its tests do not load', async () => {
    assert.match((await verdictOf({ replace: 'return meter ? [' })).join(' '), /^invalid .*SyntaxError/);
    assert.match((await verdictOf({ replace: 'return nobody ? {' })).join(' '), /^invalid ReferenceError/);
    assert.deepEqual(await verdictOf({ file: 'credits/store.ts' }), ['invalid', 'functions/src/live/meter.test.ts does not load credits/store.ts']);
  });

  it('without a mutant has to pass, and to have a test', async () => {
    assert.equal(await runUnmutated(meter, signal), null);
    assert.equal(await runUnmutated({ ...meter, grep: 'no test is called this' }, signal), 'no test has this name');
    assert.match(await runUnmutated({ file: 'functions/src/no.test.ts' }, signal) ?? '', /no.test.ts/);
  });

  it('goes through all items, so many at a time', async () => {
    let [running, most] = [0, 0];
    const seen: number[] = [];
    await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => { setImmediate(resolve); });
      running--;
      seen.push(item);
    });
    assert.deepEqual([most, seen], [2, [1, 2, 3, 4, 5]]);
  });

  it('is told in a line each, and one at the end', () => {
    const verdicts: Verdict[] = [{ verdict: 'killed', by: 'a test', seconds: 1.23 }, { verdict: 'survived', by: '', seconds: 12 }, { verdict: 'invalid', by: 'SyntaxError', seconds: 0 }];
    assert.deepEqual(verdicts.map((verdict) => lineOf(mutant, verdict)), [
      'killed     1.2 s  close once       live/meter.ts: Closing again.  <- a test',
      'SURVIVED  12.0 s  close once       live/meter.ts: Closing again.  <- no test noticed',
      'INVALID    0.0 s  close once       live/meter.ts: Closing again.  <- SyntaxError',
    ]);
    assert.equal(summaryOf(verdicts, 13.2), '3 mutants: 1 killed, 1 survived, 1 invalid, in 13 s');
    assert.deepEqual(tableOf([mutant]), [
      'guard       file           what is removed  noticed by',
      'close once  live/meter.ts  Closing again.   functions/src/live/meter.test.ts (keeps the first reason)',
    ]);
  });
});
