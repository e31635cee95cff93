import { onSchedule } from 'firebase-functions/scheduler';
import { auditSlice } from '../audit/store.ts';
import { describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { now } from '../runtime/system.ts';
import { watchPlatform } from './store.ts';
import { runSweep } from './sweep.ts';

/** Every minute: ends, settles, publishes and cleans up what time or a crash left behind, counts the platform's balance and audits the next agents. */
export const sweep = onSchedule({ schedule: 'every 1 minutes', maxInstances: 1, timeoutSeconds: 300 }, async () => {
  const swept = await runSweep(now);
  const [platform, audit] = await Promise.all([
    attempt('platform', () => watchPlatform(now())),
    attempt('audit', () => auditSlice(now)),
  ]);
  log.info('sweep', { ...swept, ...audit, ...(platform ? { platformBalanceDOFs: platform.balanceDOFs } : {}) });
});

/** Null when it fails: what is only watched must not stop what has to be done. */
async function attempt<T>(kind: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    log.write({ severity: 'ERROR', message: 'sweep item failed', kind, error: describeError(error) });
    return null;
  }
}
