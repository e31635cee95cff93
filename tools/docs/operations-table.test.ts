import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { errorReasons, httpStatusOf } from '../../functions/src/runtime/errors.ts';
import { operations } from '../../functions/src/operations.ts';
import { operationsTable, withTable } from './operations-table.ts';

describe('the operations table of the README', () => {
  it('is what the operations say: npm run docs writes it', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    assert.equal(readme, withTable(readme, operationsTable(Object.values(operations))));
  });
});

describe('the table of errors in the README', () => {
  it('has every reason, once', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const table = readme.slice(readme.indexOf('| code (status)')).split('\n\n')[0]!;
    const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name!).filter((name) => !Object.hasOwn(httpStatusOf, name) && name !== 'Allow');
    assert.deepEqual(named.filter((name) => !['issues', 'retryAfterMs'].includes(name)).sort(), [...errorReasons].filter((reason) => reason !== 'internal').sort());
  });
});
