import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../../functions/src/operations.ts';
import { operationsTable, withTable } from '../docs/operations-table.ts';
import { runCommand } from '../errors.ts';
import { ROOT } from '../paths.ts';

// Writes the parts of the documentation that are made from code.
await runCommand(() => {
  const file = join(ROOT, 'README.md');
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), operationsTable(Object.values(operations))));
  return Promise.resolve(0);
});
