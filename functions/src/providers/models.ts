import type { VendorName } from './types.ts';

/** Days (UTC) on which vendors shut models down. */
type Shutdowns = Readonly<Record<string, readonly string[]>>;

/** https://ai.google.dev/gemini-api/docs/deprecations and https://ai.google.dev/gemini-api/docs/changelog (the earliest day, where Google names one) */
const gemini: Shutdowns = {
  '2026-01-14': ['text-embedding-004'],
  '2026-06-01': ['gemini-2.0-flash', 'gemini-2.0-flash-001', 'gemini-2.0-flash-lite', 'gemini-2.0-flash-lite-001'],
  '2026-12-01': ['gemini-2.5-flash', 'gemini-2.5-pro'],
  '2027-05-07': ['gemini-3.1-flash-lite'],
};

/** https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/model-versions (Vertex AI; days with "or later" are left out) */
const google: Shutdowns = {
  '2026-06-01': ['gemini-2.0-flash-001', 'gemini-2.0-flash-lite-001'],
  '2026-10-20': ['gemini-2.5-flash', 'gemini-2.5-flash-lite', 'gemini-2.5-pro'],
  '2026-12-13': ['gemini-live-2.5-flash-native-audio'],
  '2027-04-01': ['multimodalembedding@001'],
};

/** https://developers.openai.com/api/docs/deprecations */
const openai: Shutdowns = {
  '2026-10-23': ['gpt-4', 'gpt-4-turbo', 'gpt-4.1-nano', 'gpt-4.1-nano-2025-04-14', 'gpt-4o-2024-05-13', 'o1', 'o3-mini', 'o4-mini'],
  '2026-12-11': ['gpt-5', 'gpt-5-2025-08-07', 'gpt-5-mini', 'gpt-5-mini-2025-08-07', 'gpt-5-nano', 'gpt-5-nano-2025-08-07', 'o3', 'o3-2025-04-16'],
  '2027-01-06': ['gpt-4o-mini-tts', 'gpt-4o-mini-tts-2025-12-15', 'tts-1', 'tts-1-hd'],
  '2027-01-14': [
    'gpt-4.1', 'gpt-4.1-2025-04-14', 'gpt-4.1-mini', 'gpt-4.1-mini-2025-04-14',
    'gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-2024-11-20', 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18',
  ],
  '2027-01-20': ['gpt-audio-mini', 'gpt-audio-mini-2025-12-15', 'gpt-realtime', 'gpt-realtime-2025-08-28', 'gpt-realtime-mini', 'gpt-realtime-mini-2025-12-15'],
  '2027-04-01': ['gpt-5.1', 'gpt-5.1-2025-11-13', 'gpt-5.4-nano', 'gpt-5.4-nano-2026-03-17'],
};

const shutdowns: Record<VendorName, Shutdowns> = { gemini, google, openai };

/**
 * When a vendor shuts a model down, ms since the epoch, as its documentation said in November 2026; null when it named no
 * day. For vendors whose list of models does not say: the list, where it does, is newer.
 */
export function knownShutdown(provider: VendorName, model: string): number | null {
  const day = Object.entries(shutdowns[provider]).find(([, models]) => models.includes(model))?.[0];
  return day === undefined ? null : Date.parse(day);
}
