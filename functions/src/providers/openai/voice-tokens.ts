import { z } from 'zod';
import { now } from '../../runtime/system.ts';
import { vendorDown } from '../failures.ts';
import type { VoiceTokenProvider } from '../types.ts';
import { askVendor } from '../vendor-call.ts';
import { clientToken, socketAddress } from '../voice-token.ts';
import { openaiAddress, openaiClient, type OpenaiOptions } from './openai-client.ts';
import { openaiFailure } from './openai-map.ts';

/** What the vendor takes for the life of a secret, in seconds, and for one reply, in tokens. */
const shortestSeconds = 10;
const longestSeconds = 7_200;
const mostReplyTokens = 4_096;

const answerSchema = z.object({ value: z.string().regex(/^[\w-]{8,1000}$/), expires_at: z.int().positive() });

/**
 * Client secrets of OpenAI's Realtime API
 * (https://developers.openai.com/api/reference/resources/realtime/subresources/client_secrets/methods/create). Unlike
 * Gemini's tokens they bind less: the client can change the session that they describe, may connect again until the
 * secret expires, and a session that has begun goes on after that, for up to an hour
 * (https://developers.openai.com/api/docs/guides/realtime-conversations).
 */
export function openaiVoiceTokens(options: OpenaiOptions): VoiceTokenProvider {
  return {
    name: 'openai',
    mint: ({ model, voice, systemPrompt, expiresAt, maxOutputTokens, signal }) => askVendor(signal, {
      provider: 'openai',
      model,
      setting: 'config/server.modelRouting.openai.live',
      failureOf: openaiFailure,
      ask: async (ended, lineFetch) => {
        const client = await openaiClient(options, lineFetch);
        const seconds = Math.min(longestSeconds, Math.max(shortestSeconds, Math.floor((expiresAt - now()) / 1000)));
        const answer = await client.realtime.clientSecrets.create({
          expires_after: { anchor: 'created_at', seconds },
          session: {
            type: 'realtime',
            model,
            instructions: systemPrompt,
            output_modalities: ['audio'],
            audio: { output: { voice } },
            max_output_tokens: Math.min(mostReplyTokens, maxOutputTokens),
          },
        }, { signal: ended });
        const { data } = answerSchema.safeParse(answer);
        if (!data) throw vendorDown('openai');
        return clientToken('openai', options.apiKey, {
          token: data.value,
          url: `${socketAddress(options.baseUrl ?? openaiAddress)}/realtime?model=${encodeURIComponent(model)}`,
          expiresAt: data.expires_at * 1000,
        });
      },
    }),
  };
}
