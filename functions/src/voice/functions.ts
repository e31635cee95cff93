import { loadVoiceTokens } from '../providers/registry.ts';
import { providerSettings } from '../providers/settings.ts';
import type { VoiceTokenProvider } from '../providers/types.ts';
import { operation } from '../runtime/operation.ts';
import { geminiApiKey, googleApiKey, openaiApiKey } from '../runtime/params.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { mintVoiceToken as mint } from './mint.ts';
import { mintVoiceTokenInput, mintVoiceTokenOutput } from './schema.ts';

export const mintVoiceToken = operation({
  name: 'mintVoiceToken',
  summary: 'Hands out a short-lived token with which the client talks to the model directly. Its whole lifetime is paid for in advance; ending the session gives nothing back.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/voice-tokens' },
  input: mintVoiceTokenInput,
  output: mintVoiceTokenOutput,
  options: { secrets: [geminiApiKey, googleApiKey, openaiApiKey] },
  async handle(input, { caller, signal }) {
    return mint(input, { uid: caller.uid, callerGone: signal, provider });
  },
});

async function provider(config: SessionConfig): Promise<VoiceTokenProvider> {
  const { name, settings } = providerSettings(config.provider);
  return loadVoiceTokens(name, settings);
}
