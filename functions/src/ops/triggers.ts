import { onSchedule } from 'firebase-functions/scheduler';
import { auditSlice } from '../audit/store.ts';
import { loadModelList } from '../providers/registry.ts';
import { providerSettings } from '../providers/settings.ts';
import type { ModelLister, VendorName } from '../providers/types.ts';
import { describeError } from '../runtime/errors.ts';
import { lines } from '../runtime/lines.ts';
import { log } from '../runtime/log.ts';
import { geminiApiKey, googleApiKey, openaiApiKey } from '../runtime/params.ts';
import { clearOldRates } from '../runtime/rates.ts';
import { now } from '../runtime/system.ts';
import { runTrigger } from '../runtime/trigger.ts';
import { watchPlatform } from './store.ts';
import { runSweep } from './sweep.ts';

/** Every minute: ends, settles, publishes and cleans up what time or a crash left behind, counts the platform's balance and audits the next agents. */
export const sweep = onSchedule({ schedule: 'every 1 minutes', maxInstances: 1, concurrency: 1, timeoutSeconds: 300 }, () => runTrigger('sweep', {}, async () => {
  const swept = await runSweep(now);
  const [platform, audit] = await Promise.all([
    attempt('platform', () => watchPlatform(now())),
    attempt('audit', () => auditSlice(now)),
    attempt('rates', () => clearOldRates(now())),
  ]);
  lines.sweep.write({ ...swept, ...audit, ...(platform ? { platformBalanceDOFs: platform.balanceDOFs } : {}) });
}));

/** Once a day: warns of configured models that their vendors do not have, or will shut down soon. */
export const checkModels = onSchedule({ schedule: 'every 24 hours', secrets: [geminiApiKey, googleApiKey, openaiApiKey], maxInstances: 1, timeoutSeconds: 120 }, () => runTrigger('checkModels', {}, async () => {
  const { runModelCheck } = await import('./check-models.ts');
  log.info('models checked', await runModelCheck(modelLister));
}));

async function modelLister(provider: VendorName): Promise<ModelLister | null> {
  const { settings } = providerSettings(provider);
  return settings.apiKey?.trim() || settings.project ? loadModelList(provider, settings) : null;
}

/** Null when it fails: what is only watched must not stop what has to be done. */
async function attempt<T>(kind: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    lines.sweepItemFailed.write({ kind, error: describeError(error) }, 'ERROR');
    return null;
  }
}
