import { newId } from '../../runtime/system.ts';
import type { VoiceTokenProvider } from '../types.ts';
import { unlessAborted } from './timing.ts';

/**
 * Voice tokens that open nothing: without a key there is no live model to talk to, and the token and its address say so.
 * They are as long-lived as was asked, and every one is another.
 */
export function offlineVoiceTokens(): VoiceTokenProvider {
  return {
    name: 'offline',
    mint: ({ expiresAt, signal }) => unlessAborted(signal, () => ({ token: `offline-${newId()}`, url: 'offline:no-live-model-is-connected', expiresAt })),
  };
}
