import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FUNCTIONS } from '../paths.ts';

const { reporters } = createRequire(join(FUNCTIONS, 'package.json'))('mocha') as typeof Mocha;

/** What a run of mocha came to. */
export interface MochaReport {
  passes: number;
  /** The mutated file was loaded. */
  loaded: boolean;
  failure: { test: string; name: string; message: string } | null;
}

/** Says nothing; writes what came of the run to the file that JIGA_MUTANT_REPORT names. */
export default class Reporter extends reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    let failure: MochaReport['failure'] = null;
    runner.on('fail', (test, error: Error) => { failure ??= { test: test.fullTitle(), name: error.name, message: error.message }; });
    runner.once('end', () => {
      const report: MochaReport = { passes: this.stats.passes, loaded: process.env['JIGA_MUTANT_LOADED'] === 'yes', failure };
      writeFileSync(process.env['JIGA_MUTANT_REPORT'] ?? '/dev/null', JSON.stringify(report));
    });
  }
}
