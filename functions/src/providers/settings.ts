import {
  geminiApiKey, geminiBaseUrl, googleApiKey, googleBaseUrl, googleLocation, googleProjectId, googleSpeechBaseUrl, onEmulators, openaiApiKey, openaiBaseUrl, openaiOrganizationId,
} from '../runtime/params.ts';
import type { ProviderSettings } from './registry.ts';
import type { ProviderName } from './types.ts';

/**
 * Key and address of the provider that a product asks for. On the emulators a provider without a key is replaced by
 * `offline`, so that everything runs without an account; deployed, a missing key is a configuration error.
 * Called inside the handler only: secrets are not known before.
 */
export function providerSettings(wanted: Exclude<ProviderName, 'offline'>): { name: ProviderName; settings: ProviderSettings } {
  const settings = { ...settingsOf(wanted), allowLoopback: onEmulators() };
  const usable = settings.apiKey || settings.project;
  return { name: !usable && onEmulators() ? 'offline' : wanted, settings };
}

function settingsOf(wanted: Exclude<ProviderName, 'offline'>): ProviderSettings {
  switch (wanted) {
    case 'gemini':
      return { apiKey: geminiApiKey.value(), baseUrl: geminiBaseUrl.value() };
    case 'google':
      return { apiKey: googleApiKey.value(), baseUrl: googleBaseUrl.value(), speechBaseUrl: googleSpeechBaseUrl.value(), project: googleProjectId.value(), location: googleLocation.value() };
    case 'openai':
      return { apiKey: openaiApiKey.value(), baseUrl: openaiBaseUrl.value(), organization: openaiOrganizationId.value() };
  }
}
