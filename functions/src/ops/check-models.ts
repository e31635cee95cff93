import { newBreakers } from '../providers/breakers.ts';
import { withRetries } from '../providers/retry.ts';
import { vendorNames, type ModelLister, type VendorName } from '../providers/types.ts';
import { describeError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after, now } from '../runtime/system.ts';
import { configuredModels, modelFindings, type Listed } from './models.ts';
import { getServerConfig } from './store.ts';
import { findingView, publishFindings } from './store-models.ts';

/** How long one vendor may take to list its models, repeats included. */
const listMs = 30_000;

/** What one check came to. */
export interface ModelCheckReport {
  /** Vendors that listed their models. */
  checked: VendorName[];
  /** Vendors that have a key and did not. */
  failed: VendorName[];
  findings: number;
  /** Findings that operators were told of for the first time. */
  published: number;
}

/**
 * Compares every configured model with what its vendor offers. Each finding is logged at every check and published once,
 * see nextModels. A vendor that does not answer is logged and left out.
 * @param lister Lists the models of a vendor; null when there is no key for it.
 */
export async function runModelCheck(lister: (provider: VendorName) => Promise<ModelLister | null>): Promise<ModelCheckReport> {
  const { modelRouting } = await getServerConfig();
  const listed: Listed = {};
  const failed: VendorName[] = [];
  await Promise.all(vendorNames.map(async (provider) => {
    try {
      const list = await lister(provider).then((found) => found && listInTime(found));
      if (list) listed[provider] = list;
    } catch (error) {
      failed.push(provider);
      log.write({ severity: 'WARNING', message: 'models not listed', provider, error: describeError(error) });
    }
  }));
  const checked = vendorNames.filter((provider) => listed[provider]);
  const findings = modelFindings(configuredModels(modelRouting), listed, now());
  for (const finding of findings) log.write({ severity: 'WARNING', message: 'configured model', ...findingView(finding) });
  const published = await publishFindings(findings, checked, now());
  return { checked, failed, findings: findings.length, published: published.length };
}

async function listInTime(lister: ModelLister) {
  const late = new AbortController();
  const cancel = after(listMs, () => late.abort());
  try {
    return await withRetries((signal) => lister.list(signal), { signal: late.signal, deadlineAt: now() + listMs, key: `${lister.name}/models`, breakers: newBreakers() });
  } finally {
    cancel();
  }
}
