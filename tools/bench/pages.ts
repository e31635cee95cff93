import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.ts';
import { benchmarksPage, type BenchRun } from './report.ts';
import { measuredIn, scalingPage } from './scaling/page.ts';

/** The pages of a run by their file names. The one on scaling is missing when the run lacks what it is computed from. */
export function pagesOf(run: BenchRun): Record<string, string> {
  const measured = measuredIn(run.reports);
  return { 'benchmarks.md': benchmarksPage(run), 'benchmarks.svg': chart(run.reports), ...(measured ? { 'scaling.md': scalingPage(measured) } : {}) };
}

/** Writes the pages of a run. */
export function writePages(folder: string, run: BenchRun): void {
  for (const [name, content] of Object.entries(pagesOf(run))) writeFileSync(join(folder, name), content);
}
