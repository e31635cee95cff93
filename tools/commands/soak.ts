import { parseArgs } from 'node:util';
import { soak } from '../../functions/test/simulator/soak.ts';
import { runCommand, UserError } from '../errors.ts';
import { abortOnSignal } from './interrupt.ts';
import { createProgress } from './progress.ts';

const usage = `npm run soak -- [--users N] [--frames N] [--seed SEED] [--fault-percent N]

Many players on the real code with databases in memory: 1,000 users, 100,000 frames and 1 % of each fault unless told
otherwise. Ends with an audit of every agent; exits with 1 when there is drift.`;

await runCommand(async () => {
  const values = parse();
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const number = (name: 'users' | 'frames' | 'seed' | 'fault-percent'): number => {
    if (!/^\d{1,9}$/.test(values[name])) throw new UserError(`--${name} wants a whole number, not ${JSON.stringify(values[name])}.`);
    return Number(values[name]);
  };
  const [users, frames] = [number('users'), number('frames')];
  if (number('fault-percent') > 100) throw new UserError('--fault-percent is at most 100.');
  if (users < 1 || frames < users) throw new UserError('There must be at least one user, and a frame for each.');
  const begun = performance.now();
  const progress = createProgress('frames', frames);
  const signal = abortOnSignal();
  const report = await soak({ users, frames, seed: number('seed'), faultRate: number('fault-percent') / 100, onFrame: progress.show, signal });
  progress.end();
  if (!report) {
    console.log('interrupted');
    return 130;
  }
  console.log(`${report.frames} frames of ${report.agents} agents, ${report.answered} answered, ${report.consumedDOFs} DOFs, ${report.entries} ledger entries, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  console.log(`faults: ${Object.entries(report.faults).map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  console.log(`drift: ${report.drifts.length}`);
  for (const drift of report.drifts) console.error(drift);
  return report.drifts.length > 0 ? 1 : 0;
});

function parse(): { users: string; frames: string; seed: string; 'fault-percent': string; help: boolean } {
  try {
    return parseArgs({ options: {
      users: { type: 'string', default: '1000' }, frames: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' }, 'fault-percent': { type: 'string', default: '1' }, help: { type: 'boolean', default: false },
    } }).values;
  } catch (error) {
    throw new UserError(`${(error as Error).message.split('.')[0]}. npm run soak -- --help lists the options.`);
  }
}
