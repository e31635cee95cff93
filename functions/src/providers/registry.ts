import { notConfigured } from './failures.ts';
import type { EmbeddingProvider, ModelLister, ModelProvider, ProviderName, SpeechProvider, VendorName, VoiceTokenProvider } from './types.ts';

/** What a provider needs from the server's configuration. Which of these apply depends on the provider. */
export interface ProviderSettings {
  apiKey?: string | undefined;
  /** Another address of the same vendor (a region, a test server); see vendorHosts. */
  baseUrl?: string | undefined;
  /** Another address of Cloud Text-to-Speech, for `google`. */
  speechBaseUrl?: string | undefined;
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
const vendorHosts: Record<VendorName, RegExp> = {
  gemini: /^generativelanguage\.googleapis\.com$/,
  google: /^(generativelanguage|([a-z0-9-]+-)?aiplatform)\.googleapis\.com$/,
  openai: /^([a-z0-9-]+\.)?api\.openai\.com$/,
};
/** https://cloud.google.com/text-to-speech/docs/endpoints */
const speechHosts = /^([a-z0-9-]+-)?texttospeech\.googleapis\.com$/;
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Longer than any address of a vendor. */
const longestAddress = 200;

/**
 * Loads a provider and, for a vendor, its SDK at the first call: nothing is imported before it is used. So do the
 * functions below.
 *
 * @throws AppError failed-precondition (provider_configuration) when the key (for `google`: the key or the
 *   project) is missing, or an address is not the vendor's own.
 */
export async function loadProvider(name: ProviderName, settings: ProviderSettings = {}): Promise<ModelProvider> {
  if (name === 'offline') return (await import('./offline/offline.ts')).offlineProvider();
  const access = checkAccess(name, settings);
  switch (name) {
    case 'gemini':
      return (await import('./google/gemini.ts')).geminiProvider(access);
    case 'google':
      return (await import('./google/google.ts')).googleProvider(access);
    case 'openai':
      return (await import('./openai/openai.ts')).openaiProvider(access);
  }
}

/** Loads the voice of a provider; that of `google` is Cloud Text-to-Speech. @throws as loadProvider. */
export async function loadSpeech(name: ProviderName, settings: ProviderSettings = {}): Promise<SpeechProvider> {
  if (name === 'offline') return (await import('./offline/speech.ts')).offlineSpeech();
  const access = checkAccess(name, settings);
  switch (name) {
    case 'gemini':
      return (await import('./google/gemini-speech.ts')).geminiSpeech(access);
    case 'google':
      return (await import('./google/cloud-speech.ts')).cloudSpeech({ apiKey: access.project ? undefined : access.apiKey, baseUrl: access.speechBaseUrl });
    case 'openai':
      return (await import('./openai/speech.ts')).openaiSpeech(access);
  }
}

/** Loads a provider's embeddings. @throws as loadProvider. */
export async function loadEmbeddings(name: ProviderName, settings: ProviderSettings = {}): Promise<EmbeddingProvider> {
  if (name === 'offline') return (await import('./offline/embeddings.ts')).offlineEmbeddings();
  const access = checkAccess(name, settings);
  if (name === 'openai') return (await import('./openai/embeddings.ts')).openaiEmbeddings(access);
  return (await import('./google/embeddings.ts')).googleEmbeddings(name, access);
}

/** Loads what hands out a provider's voice tokens. @throws as loadProvider, and for `google` on Vertex AI, which has none. */
export async function loadVoiceTokens(name: ProviderName, settings: ProviderSettings = {}): Promise<VoiceTokenProvider> {
  if (name === 'offline') return (await import('./offline/voice-tokens.ts')).offlineVoiceTokens();
  const access = checkAccess(name, settings);
  if (name === 'openai') return (await import('./openai/voice-tokens.ts')).openaiVoiceTokens(access);
  if (access.project) throw notConfigured('Vertex AI has no voice tokens. Use the gemini provider, or the google provider with a key and without a project.');
  return (await import('./google/voice-tokens.ts')).geminiVoiceTokens(name, access);
}

/** Loads the list of a provider's models. @throws as loadProvider. */
export async function loadModelList(name: ProviderName, settings: ProviderSettings = {}): Promise<ModelLister> {
  if (name === 'offline') return (await import('./offline/model-list.ts')).offlineModelList();
  const access = checkAccess(name, settings);
  if (name === 'openai') return (await import('./openai/model-list.ts')).openaiModelList(access);
  return (await import('./google/model-list.ts')).googleModelList(name, access);
}

/** Settings that have been checked: `apiKey` is empty only where a project takes its place. */
type Access = Omit<ProviderSettings, 'apiKey' | 'allowLoopback'> & { apiKey: string };

function checkAccess(name: VendorName, settings: ProviderSettings): Access {
  const { allowLoopback } = settings;
  // A parameter that is not set is an empty text.
  const organization = settings.organization || undefined;
  const location = settings.location || undefined;
  // Gemini knows no project: with one it would be taken for Vertex AI.
  const project = name === 'gemini' ? undefined : settings.project || undefined;
  // A secret pasted with its line break is the most common reason for a refused key.
  const apiKey = settings.apiKey?.trim() ?? '';
  const baseUrl = checkAddress(name, vendorHosts[name], settings.baseUrl, allowLoopback);
  const speechBaseUrl = checkAddress(name, speechHosts, settings.speechBaseUrl, allowLoopback);
  const onVertex = name === 'google' && project !== undefined;
  if (!apiKey && !onVertex) throw notConfigured(`The ${name} provider has no key. Set it, or use the offline provider.`);
  // They become parts of an address.
  if (onVertex && location && !/^[a-z0-9-]+$/.test(location)) throw notConfigured('The location of the google provider is not a region name.');
  if (onVertex && !/^[a-z0-9:.-]+$/.test(project)) throw notConfigured('The project of the google provider is not a project id.');
  return { apiKey, baseUrl, speechBaseUrl, organization, project, location };
}

/** The address without a trailing slash, or undefined for the vendor's default. */
function checkAddress(name: VendorName, hosts: RegExp, address: string | undefined, allowLoopback: boolean | undefined): string | undefined {
  if (!address) return undefined;
  // Only what a URL is written with: the parser drops line breaks, turns \ into / and full-width letters into plain ones.
  const url = address.length <= longestAddress && /^[\w:/.[\]-]+$/.test(address) ? URL.parse(address) : null;
  const ownHost = url !== null && url.protocol === 'https:' && url.port === '' && hosts.test(url.hostname);
  const loopback = url !== null && allowLoopback === true && url.protocol === 'http:' && loopbackHosts.has(url.hostname);
  if (!ownHost && !loopback) throw notConfigured(`The address of the ${name} provider is not one of the vendor's own.`);
  return url.href.replace(/\/+$/, '');
}
