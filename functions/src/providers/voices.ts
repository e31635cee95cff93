import type { ProviderName } from './types.ts';

// https://ai.google.dev/gemini-api/docs/speech-generation#voices, the same for speech and for the Live API
const geminiVoices = new Set([
  'Achernar', 'Achird', 'Algenib', 'Algieba', 'Alnilam', 'Aoede', 'Autonoe', 'Callirrhoe', 'Charon', 'Despina',
  'Enceladus', 'Erinome', 'Fenrir', 'Gacrux', 'Iapetus', 'Kore', 'Laomedeia', 'Leda', 'Orus', 'Puck',
  'Pulcherrima', 'Rasalgethi', 'Sadachbia', 'Sadaltager', 'Schedar', 'Sulafat', 'Umbriel', 'Vindemiatrix', 'Zephyr', 'Zubenelgenubi',
]);

// https://developers.openai.com/api/docs/guides/text-to-speech#voice-options
const openaiSpeechVoices = new Set(['alloy', 'ash', 'ballad', 'cedar', 'coral', 'echo', 'fable', 'marin', 'nova', 'onyx', 'sage', 'shimmer', 'verse']);
// https://developers.openai.com/api/reference/resources/realtime/subresources/client_secrets/methods/create
const openaiLiveVoices = new Set(['alloy', 'ash', 'ballad', 'cedar', 'coral', 'echo', 'marin', 'sage', 'shimmer', 'verse']);

// https://cloud.google.com/text-to-speech/docs/list-voices-and-types: language, region, type, and a letter or a name
const cloudVoice = /^[a-z]{2,3}-(?:[A-Z]{2}|\d{3})-(?:(?:Standard|Wavenet|Neural2|News|Studio|Casual)-[A-Z]|Polyglot-\d|Chirp-HD-[A-Z]|Chirp3-HD-([A-Z][a-z]+))$/;

/**
 * Whether a provider can speak with this voice: by the vendor's list, or for `google` (Cloud Text-to-Speech, whose list is
 * long and grows) by the form of its names. `offline` has every voice.
 */
export function hasVoice(provider: ProviderName, voice: string): boolean {
  switch (provider) {
    case 'gemini':
      return geminiVoices.has(voice);
    case 'google': {
      const match = cloudVoice.exec(voice);
      return match !== null && (match[1] === undefined || geminiVoices.has(match[1]));
    }
    case 'openai':
      return openaiSpeechVoices.has(voice);
    case 'offline':
      return true;
  }
}

/** Whether a client with a voice token of this provider can talk to a model with this voice. `google` hands out Gemini's tokens. */
export function hasLiveVoice(provider: ProviderName, voice: string): boolean {
  switch (provider) {
    case 'gemini':
    case 'google':
      return geminiVoices.has(voice);
    case 'openai':
      return openaiLiveVoices.has(voice);
    case 'offline':
      return true;
  }
}
