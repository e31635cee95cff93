import assert from 'node:assert/strict';
import { extracted, matches, parseFilter, toEntry } from './filter.ts';

const entry = toEntry({ severity: 'WARNING', message: 'operation', outcome: 'internal', durationMs: 12, nested: { field: 'x' }, zero: 0 });

describe('a filter of the log', () => {
  for (const filter of [
    'resource.type="cloud_run_revision"', 'jsonPayload.message="operation" AND jsonPayload.durationMs>=12', 'jsonPayload.outcome=("ok" OR "internal")', 'jsonPayload.nested.field="x"',
    'severity>=WARNING', 'severity>INFO', 'severity<ERROR', 'NOT jsonPayload.reason="maintenance"', 'jsonPayload.zero:*', 'jsonPayload.durationMs<13', 'jsonPayload.durationMs<=12', 'jsonPayload.zero=0',
  ]) it(`lets through: ${filter}`, () => { assert.ok(matches(filter, entry)); });

  for (const filter of [
    'resource.type="cloud_function"', 'jsonPayload.message="operation" AND jsonPayload.durationMs>12', 'jsonPayload.outcome=("ok" OR "aborted")', 'jsonPayload.field="x"', 'jsonPayload.nested="x"',
    'severity>=ERROR', 'NOT jsonPayload.outcome="internal"', 'jsonPayload.missing:*', 'jsonPayload.missing>=0', 'jsonPayload.message>=0', 'jsonPayload.constructor:*',
  ]) it(`keeps back: ${filter}`, () => { assert.ok(!matches(filter, entry)); });

  it('is refused where it says what is not understood', () => {
    for (const filter of ['', 'operation', 'jsonPayload.message=~"op.*"', 'a="x" OR b="y"', 'jsonPayload.message!="x"', '(a="x")']) assert.throws(() => parseFilter(filter), /cannot read/, filter);
  });
});

describe('an extractor', () => {
  it('takes a field out of an entry', () => {
    assert.deepEqual([extracted('EXTRACT(jsonPayload.durationMs)', entry), extracted('EXTRACT(jsonPayload.nested.field)', entry), extracted('EXTRACT(jsonPayload.missing)', entry)], [12, 'x', undefined]);
  });

  it('is refused where it is another one', () => {
    assert.throws(() => extracted('REGEXP_EXTRACT(jsonPayload.message, "(.*)")', entry), /cannot read/);
  });
});
