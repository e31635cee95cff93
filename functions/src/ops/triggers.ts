import { onSchedule } from 'firebase-functions/scheduler';
import { log } from '../runtime/log.ts';
import { now } from '../runtime/system.ts';
import { runSweep } from './sweep.ts';

/** Every minute: ends, settles, publishes and cleans up what time or a crash left behind. */
export const sweep = onSchedule({ schedule: 'every 1 minutes', maxInstances: 1, timeoutSeconds: 300 }, async () => {
  const report = await runSweep(now);
  log.info('sweep', report);
});
