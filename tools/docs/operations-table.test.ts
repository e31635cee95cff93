import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { operations } from '../../functions/src/operations.ts';
import { operationsTable, withTable } from './operations-table.ts';

describe('the operations table of the README', () => {
  it('is what the operations say: npm run docs writes it', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    assert.equal(readme, withTable(readme, operationsTable(Object.values(operations))));
  });
});
