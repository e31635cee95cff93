import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FUNCTIONS } from '../paths.ts';

const { reporters } = createRequire(join(FUNCTIONS, 'package.json'))('mocha') as typeof Mocha;

/** Mocha's usual report, plus the counts as JSON in the file that JIGA_MOCHA_STATS names. */
export default class Reporter extends reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => writeFileSync(process.env['JIGA_MOCHA_STATS'] ?? '/dev/null', JSON.stringify(this.stats)));
  }
}
