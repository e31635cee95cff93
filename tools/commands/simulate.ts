import { parseArgs } from 'node:util';
import { planOf, runSeeds } from '../../functions/test/simulator/seeds.ts';
import { runCommand, UserError } from '../errors.ts';
import { abortOnSignal } from './interrupt.ts';
import { createProgress } from './progress.ts';

const usage = `npm run simulate -- [--seeds N] [--from SEED] [--seed SEED] [--print]

Plays random histories (calls, crashes, lost answers, repeated events, wrong clocks) against the real code on databases
in memory and checks every money rule after every commit. One seed is one history.

  --seeds N     how many seeds; 1000 unless given
  --from SEED   the first of them; 1 unless given
  --seed SEED   this one only: plays a failure again
  --print       with --seed: prints the history before it is played`;

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text) || (name === 'seeds' && Number(text) === 0)) throw new UserError(`--${name} wants a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

await runCommand(async () => {
  const { values } = parse();
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.print && values.seed === undefined) throw new UserError('--print shows one history: name it with --seed.');
  const only = values.seed === undefined ? null : wholeNumber('seed', values.seed);
  const first = only ?? wholeNumber('from', values.from);
  const count = only === null ? wholeNumber('seeds', values.seeds) : 1;
  if (values.print && only !== null) for (const command of planOf(only).commands) console.log(JSON.stringify(command));
  const begun = performance.now();
  const progress = createProgress('seeds', count);
  const signal = abortOnSignal();
  const report = await runSeeds({ first, count, onSeed: progress.show, signal });
  progress.end();
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${report.histories} histories, ${report.turns} paid turns, ${report.consumedDOFs} DOFs, ${report.faults} faults, ${seconds} s`);
  if (signal.aborted) console.log('interrupted');
  if (report.failure === null) return signal.aborted ? 130 : 0;
  console.error(report.failure);
  return 1;
});

function parse(): { values: { seeds: string; from: string; seed?: string | undefined; print: boolean; help: boolean } } {
  try {
    return parseArgs({ options: {
      seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' }, seed: { type: 'string' }, print: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    } });
  } catch (error) {
    throw new UserError(`${(error as Error).message.split('.')[0]}. npm run simulate -- --help lists the options.`);
  }
}
