import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../../functions/src/operations.ts';
import { forms } from '../../functions/test/access.ts';
import { writePages } from '../bench/pages.ts';
import type { BenchRun } from '../bench/report.ts';
import { accessPage } from '../docs/access-page.ts';
import { operationsTable, withTable } from '../docs/operations-table.ts';
import { runCommand } from '../errors.ts';
import { ROOT } from '../paths.ts';

// Writes the parts of the documentation that are made from code, and those that are made from the last full run of the benchmarks.
await runCommand(() => {
  const readme = join(ROOT, 'README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), operationsTable(Object.values(operations))));
  mkdirSync(join(ROOT, 'docs'), { recursive: true });
  writeFileSync(join(ROOT, 'docs', 'access.md'), accessPage(forms));
  const lastRun = join(ROOT, 'docs', 'benchmarks.json');
  if (existsSync(lastRun)) writePages(join(ROOT, 'docs'), JSON.parse(readFileSync(lastRun, 'utf8')) as BenchRun);
  return Promise.resolve(0);
});
