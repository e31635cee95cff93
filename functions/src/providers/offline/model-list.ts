import type { ModelLister } from '../types.ts';
import { unlessAborted } from './timing.ts';

/** The list of the provider that needs no vendor: its one model, which nobody shuts down. */
export function offlineModelList(): ModelLister {
  return { name: 'offline', list: (signal) => unlessAborted(signal, () => [{ name: 'offline', shutdownAt: null }]) };
}
