import { vendorDown } from './failures.ts';
import type { ProviderName, VoiceToken } from './types.ts';

/**
 * A token of a vendor's answer, to be shown to a client.
 *
 * @throws AppError unavailable (provider_unavailable) when the platform's own key is in it.
 */
export function clientToken(provider: ProviderName, platformKey: string, answer: VoiceToken): VoiceToken {
  if (JSON.stringify(answer).includes(platformKey)) throw vendorDown(provider);
  return answer;
}

/** The WebSocket address of an HTTP one. */
export function socketAddress(address: string): string {
  return address.replace(/^http/, 'ws');
}
