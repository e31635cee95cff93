import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.ts';
import { benchmarks } from './benchmarks.ts';
import { pagesOf } from './pages.ts';
import type { BenchRun } from './report.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

describe('the pages of the benchmarks', () => {
  let run: BenchRun;

  before(function () {
    // A copy that has not been measured has no pages.
    if (!existsSync(join(ROOT, 'docs', 'benchmarks.json'))) this.skip();
    run = JSON.parse(read('benchmarks.json')) as BenchRun;
  });

  it('are what the last run says: npm run docs writes them', () => {
    const pages = pagesOf(run);
    assert.deepEqual(Object.keys(pages), ['benchmarks.md', 'benchmarks.svg', 'scaling.md']);
    for (const [name, content] of Object.entries(pages)) assert.equal(read(name), content, name);
  });

  it('show every benchmark', () => assert.deepEqual(run.reports.map(({ id }) => id), benchmarks.map(({ id }) => id)));
});
