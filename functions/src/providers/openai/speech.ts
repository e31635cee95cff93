import { speechOf } from '../speech.ts';
import type { SpeechProvider } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { openaiClient, type OpenaiOptions } from './openai-client.ts';
import { openaiFailure } from './openai-map.ts';

/** OpenAI's speech models, which answer with the bytes of an MP3 (https://developers.openai.com/api/docs/guides/text-to-speech). */
export function openaiSpeech(options: OpenaiOptions): SpeechProvider {
  return {
    name: 'openai',
    speak: ({ text, voice, model, signal }) => askVendor(signal, {
      provider: 'openai',
      model,
      setting: 'config/server.modelRouting.openai.tts',
      failureOf: openaiFailure,
      ask: async (ended, lineFetch) => {
        const client = await openaiClient(options, lineFetch);
        const answer = await client.audio.speech.create({ model, voice, input: text, response_format: 'mp3' }, { signal: ended });
        return speechOf('openai', text, Buffer.from(await answer.arrayBuffer()));
      },
    }),
  };
}
