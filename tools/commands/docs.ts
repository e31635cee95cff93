import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../../functions/src/operations.ts';
import { writePages } from '../bench/pages.ts';
import type { BenchRun } from '../bench/report.ts';
import { operationsTable, withTable } from '../docs/operations-table.ts';
import { runCommand } from '../errors.ts';
import { ROOT } from '../paths.ts';

// Writes the parts of the documentation that are made from code, and those that are made from the last full run of the benchmarks.
await runCommand(() => {
  const file = join(ROOT, 'README.md');
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), operationsTable(Object.values(operations))));
  const lastRun = join(ROOT, 'docs', 'benchmarks.json');
  if (existsSync(lastRun)) writePages(join(ROOT, 'docs'), JSON.parse(readFileSync(lastRun, 'utf8')) as BenchRun);
  return Promise.resolve(0);
});
