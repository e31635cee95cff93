import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { providerNames, type ProviderName } from '../providers/types.ts';
import { dofsSchema, idSchema, momentSchema } from '../runtime/schema.ts';

export const mintVoiceTokenInput = z.strictObject({
  sessionId: idSchema,
  requestId: idSchema.describe('Names the request: repeating it never pays twice. A token is shown once, so it is worth repeating only after an error.'),
  minutes: z.int().min(1).max(30).optional().describe('How long the token is valid, at most limits.voiceTokenMinutes of the session. Without it 5, or that limit where it is less.'),
});
export type MintVoiceTokenInput = z.output<typeof mintVoiceTokenInput>;

export const mintVoiceTokenOutput = z.object({
  token: z.string().describe('Opens a conversation at the vendor; shown this once.'),
  url: z.string().describe('Address of the live API of the vendor.'),
  provider: z.enum(providerNames),
  model: z.string(),
  voice: z.string(),
  expiresAt: momentSchema,
  heldDOFs: dofsSchema.describe('What the whole lifetime costs: held now, charged in full when the token has expired, also when the session ends before.'),
  tokensLeftToday: dofsSchema.describe('Voice tokens that the user may still ask for today (UTC).'),
});
export type MintedVoiceToken = z.input<typeof mintVoiceTokenOutput>;

/** sessions/{sessionId}/voiceTokens/{requestId}: a voice token of the session. The token itself is kept nowhere. */
export interface VoiceTokenDoc {
  requestId: string;
  /** The hold on the agent that pays for it; another one with each attempt. */
  holdId: string;
  provider: ProviderName;
  model: string;
  voice: string;
  minutes: number;
  heldDOFs: number;
  /** `minted`: handed out, paid for. `minting`: the vendor is being asked, or the attempt died. `failed`: nothing was handed out or paid. */
  state: 'minting' | 'minted' | 'failed';
  /** Rises when a request is tried again, and fences the attempt before. */
  attempt: number;
  /** When the attempt began. */
  startedAt: Timestamp;
  mintedAt: Timestamp | null;
  expiresAt: Timestamp;
}
