import { notConfigured } from './failures.ts';
import type { ModelProvider, ProviderName } from './types.ts';

/** What a provider needs from the server's configuration. Which of these apply depends on the provider. */
export interface ProviderSettings {
  apiKey?: string | undefined;
  /** Another address of the same vendor (a region, a test server); see vendorHosts. */
  baseUrl?: string | undefined;
  /** OpenAI organization. */
  organization?: string | undefined;
  /** OpenAI project, or the Google Cloud project that makes `google` use Vertex AI. */
  project?: string | undefined;
  /** Vertex AI region. */
  location?: string | undefined;
  /** Accept `http` on this machine: tests and emulators only. */
  allowLoopback?: boolean | undefined;
}

/** Hosts that may be sent a key and a player's picture. Everything else is a mistake or an attack. */
const vendorHosts: Record<Exclude<ProviderName, 'offline'>, RegExp> = {
  gemini: /^generativelanguage\.googleapis\.com$/,
  google: /^(generativelanguage|([a-z0-9-]+-)?aiplatform)\.googleapis\.com$/,
  openai: /^([a-z0-9-]+\.)?api\.openai\.com$/,
};
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Loads a provider and, for a vendor, its SDK at the first call: nothing is imported before it is used.
 *
 * @throws AppError failed-precondition (provider_configuration) when the key (for `google`: the key or the
 *   project) is missing, or the address is not the vendor's own.
 */
export async function loadProvider(name: ProviderName, settings: ProviderSettings = {}): Promise<ModelProvider> {
  if (name === 'offline') return (await import('./offline/offline.ts')).offlineProvider();
  const { organization, project, location } = settings;
  // A secret pasted with its line break is the most common reason for a refused key.
  const apiKey = settings.apiKey?.trim();
  const baseUrl = checkBaseUrl(name, settings);
  if (name === 'google' && project) {
    if (location && !/^[a-z0-9-]+$/.test(location)) throw notConfigured('The location of the google provider is not a region name.');
    return (await import('./google/google.ts')).googleProvider({ project, location, baseUrl });
  }
  if (!apiKey) throw notConfigured(`The ${name} provider has no key. Set it, or use the offline provider.`);
  switch (name) {
    case 'gemini':
      return (await import('./google/gemini.ts')).geminiProvider({ apiKey, baseUrl });
    case 'google':
      return (await import('./google/google.ts')).googleProvider({ apiKey, baseUrl });
    case 'openai':
      return (await import('./openai/openai.ts')).openaiProvider({ apiKey, baseUrl, organization, project });
  }
}

/** The address without a trailing slash, or undefined for the vendor's default. */
function checkBaseUrl(name: Exclude<ProviderName, 'offline'>, { baseUrl, allowLoopback }: ProviderSettings): string | undefined {
  if (!baseUrl) return undefined;
  const url = URL.parse(baseUrl);
  const plain = url !== null && !url.username && !url.password && !url.search && !url.hash;
  const ownHost = plain && url.protocol === 'https:' && url.port === '' && vendorHosts[name].test(url.hostname);
  const loopback = plain && allowLoopback === true && url.protocol === 'http:' && loopbackHosts.has(url.hostname);
  if (!ownHost && !loopback) throw notConfigured(`The address of the ${name} provider is not one of the vendor's own.`);
  return url.href.replace(/\/+$/, '');
}
