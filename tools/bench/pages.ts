import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.ts';
import { benchmarksPage, type BenchRun } from './report.ts';
import { measuredIn, scalingPage } from './scaling/page.ts';

/** Writes the pages of a run. The one on scaling stays as it is when the run lacks what it is computed from. */
export function writePages(folder: string, run: BenchRun): void {
  writeFileSync(join(folder, 'benchmarks.md'), benchmarksPage(run));
  writeFileSync(join(folder, 'benchmarks.svg'), chart(run.reports));
  const measured = measuredIn(run.reports);
  if (measured) writeFileSync(join(folder, 'scaling.md'), scalingPage(measured));
}
