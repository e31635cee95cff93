import type { Modality } from '@google/genai';
import { z } from 'zod';
import { now } from '../../runtime/system.ts';
import { vendorDown } from '../failures.ts';
import type { VoiceTokenProvider } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { clientToken, socketAddress } from '../voice-token.ts';
import { googleFailure } from './gemini-map.ts';
import { geminiAddress, genaiClient } from './genai-client.ts';

/** Where the SDK makes and uses these tokens; other versions of the API do not have them. */
const version = 'v1alpha';
/** How long a client may wait before it connects. */
const connectWithinMs = 60_000;

const answerSchema = z.object({ name: z.string().regex(/^auth_?tokens\/[\w-]{8,1000}$/i), expireTime: z.iso.datetime({ offset: true }).optional().catch(undefined) });

/**
 * Auth tokens of the Gemini Live API (https://ai.google.dev/gemini-api/docs/live-api/ephemeral-tokens): good for one
 * session, which has to begin within a minute. Model, voice, system prompt and the rest of the setup are locked, since
 * every field is where no list of further fields is given; what the client sends instead is ignored.
 *
 * @param name The provider that asks: `google` has these tokens with a key only, not on Vertex AI.
 */
export function geminiVoiceTokens(name: 'gemini' | 'google', { apiKey, baseUrl }: { apiKey: string; baseUrl?: string | undefined }): VoiceTokenProvider {
  return {
    name,
    mint: ({ model, voice, systemPrompt, expiresAt, maxOutputTokens, signal }) => askVendor(signal, {
      provider: name,
      model,
      setting: `config/server.modelRouting.${name}.live`,
      failureOf: googleFailure,
      ask: async (ended, lineFetch) => {
        const client = await genaiClient({ apiKey, baseUrl }, lineFetch, version);
        const answer = await client.authTokens.create({
          config: {
            uses: 1,
            expireTime: new Date(expiresAt).toISOString(),
            newSessionExpireTime: new Date(Math.min(expiresAt, now() + connectWithinMs)).toISOString(),
            liveConnectConstraints: {
              model,
              config: {
                // The enum is only a type here: its value would load the whole SDK.
                responseModalities: ['AUDIO' as Modality.AUDIO],
                systemInstruction: systemPrompt,
                speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } },
                maxOutputTokens,
              },
            },
            abortSignal: ended,
          },
        });
        const { data } = answerSchema.safeParse(answer);
        if (!data) throw vendorDown(name);
        return clientToken(name, apiKey, {
          token: data.name,
          url: `${socketAddress(baseUrl ?? geminiAddress)}/ws/google.ai.generativelanguage.${version}.GenerativeService.BidiGenerateContentConstrained`,
          expiresAt: data.expireTime ? Date.parse(data.expireTime) : expiresAt,
        });
      },
    }),
  };
}
