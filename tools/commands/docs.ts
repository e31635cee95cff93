import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../../functions/src/operations.ts';
import { forms } from '../../functions/test/access.ts';
import { accessPage } from '../docs/access-page.ts';
import { operationsTable, withTable } from '../docs/operations-table.ts';
import { runCommand } from '../errors.ts';
import { ROOT } from '../paths.ts';

// Writes the parts of the documentation that are made from code.
await runCommand(() => {
  const readme = join(ROOT, 'README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), operationsTable(Object.values(operations))));
  mkdirSync(join(ROOT, 'docs'), { recursive: true });
  writeFileSync(join(ROOT, 'docs', 'access.md'), accessPage(forms));
  return Promise.resolve(0);
});
