import { z } from 'zod';
import { vendorDown } from '../failures.ts';
import { speechOf, wavOf } from '../speech.ts';
import type { SpeechProvider } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { googleFailure } from './gemini-map.ts';
import { genaiClient, type GoogleOptions } from './genai-client.ts';

const part = z.object({ inlineData: z.object({ mimeType: z.string(), data: z.string() }).optional() });
const answerSchema = z.object({ candidates: z.array(z.object({ content: z.object({ parts: z.array(part) }) })).min(1) });

/** Rate of the samples where the answer does not say it (https://ai.google.dev/gemini-api/docs/speech-generation). */
const usualRate = 24_000;

/**
 * Gemini models that speak, through `@google/genai`, in one of their prebuilt voices. Models before 3.8 answer with raw
 * PCM, later ones with a whole WAV
 * (https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/text-to-speech/migration-guide).
 */
export function geminiSpeech(options: GoogleOptions): SpeechProvider {
  return {
    name: 'gemini',
    speak: ({ text, voice, model, signal }) => askVendor(signal, {
      provider: 'gemini',
      model,
      setting: 'config/server.modelRouting.gemini.tts',
      failureOf: googleFailure,
      ask: async (ended, lineFetch) => {
        const client = await genaiClient(options, lineFetch);
        const answer = await client.models.generateContent({
          model,
          contents: [{ role: 'user', parts: [{ text }] }],
          config: {
            responseModalities: ['AUDIO'],
            speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } },
            // Otherwise the SDK asks again by itself, which would be billed twice.
            automaticContinuation: false,
            abortSignal: ended,
          },
        });
        return speechOf('gemini', text, soundIn(answer));
      },
    }),
  };
}

/** The sound of an answer as a WAV. */
function soundIn(answer: unknown): Buffer {
  const parsed = answerSchema.safeParse(answer);
  const media = parsed.data?.candidates[0]?.content.parts.flatMap(({ inlineData }) => inlineData ?? []) ?? [];
  const bytes = Buffer.concat(media.map(({ data }) => Buffer.from(data, 'base64')));
  const type = media[0]?.mimeType.toLowerCase() ?? '';
  if (!/^audio\/(l16|pcm)\b/.test(type)) return bytes;
  // Half a sample means that something was lost, and without a sample there is no sound.
  if (bytes.length === 0 || bytes.length % 2 === 1) throw vendorDown('gemini');
  return wavOf(bytes, Number(/rate=(\d{4,6})\b/.exec(type)?.[1] ?? usualRate));
}
