import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { accountIdSchema, dofsSchema, idSchema, momentSchema } from '../runtime/schema.ts';
import { liveAddress, roles, sessionConfigSchema } from '../sessions/schema.ts';

/** What an invite can make of somebody. */
export const inviteRoles = ['player', 'spectator'] as const;
export type InviteRole = (typeof inviteRoles)[number];

/** sessions/{sessionId}/invites/{inviteId}: an invite for one person. The id is a hash of what that person is given, which is kept nowhere. */
export interface InviteDoc {
  role: InviteRole;
  /** The only address, in lower case, whose account may use it; null: any account. */
  email: string | null;
  /** Most DOFs that the player may consume; null: what the session has. */
  capDOFs: number | null;
  createdBy: string;
  createdAt: Timestamp;
  /** TTL: from then on the invite is void, and Firestore may delete it. */
  expiresAt: Timestamp;
  usedBy: string | null;
  usedAt: Timestamp | null;
  revokedAt: Timestamp | null;
}

export const shareSessionInput = z.strictObject({
  sessionId: idSchema,
  role: z.enum(inviteRoles).default('player'),
  email: z.email().max(254).toLowerCase().optional().describe('Only an account with this verified address may use the invite.'),
  capDOFs: dofsSchema.positive().optional().describe('Most DOFs that the player may consume in this session. Without it: what the session has.'),
  ttlMinutes: z.int().min(5).max(10_080).default(1_440).describe('How long the invite can be used.'),
}).refine(({ role, capDOFs }) => role === 'player' || capDOFs === undefined, { path: ['capDOFs'], message: 'is for players only' });
export type ShareSessionInput = z.output<typeof shareSessionInput>;

export const shareSessionOutput = z.object({
  inviteId: idSchema.describe('Names the invite, to revoke it. Nobody can join with it.'),
  invite: z.string().describe('What the invited person joins with; shown this once.'),
  link: z.string().nullable().describe('The invite behind the address of the page that takes it; null when no page is configured.'),
  role: z.enum(inviteRoles),
  expiresAt: momentSchema,
});

export const revokeInviteInput = z.strictObject({ sessionId: idSchema, inviteId: idSchema });
export const revokeInviteOutput = z.object({ sessionId: idSchema, inviteId: idSchema });

/** Any text is taken: one that is no invite is answered as every other bad invite. */
export const joinSessionInput = z.strictObject({ invite: z.string().describe('The invite as it was given; of a link, what stands behind `#`.') });
export const joinSessionOutput = z.object({
  sessionId: idSchema,
  role: z.enum(roles),
  name: z.string().nullable(),
  config: sessionConfigSchema,
  live: liveAddress,
  expiresAt: momentSchema,
});

export const leaveSessionOutput = z.object({ sessionId: idSchema });

export const removeMemberInput = z.strictObject({ sessionId: idSchema, userId: accountIdSchema });
export const removeMemberOutput = z.object({ sessionId: idSchema, userId: accountIdSchema });

export const listMembersOutput = z.object({
  members: z.array(z.object({
    userId: z.string(),
    role: z.enum(roles),
    capDOFs: dofsSchema.nullable().describe('Most DOFs that the player may consume; null: what the session has. Shown to the owner and to the player itself.'),
    online: z.boolean().describe('Whether the member is connected to the live state of the session.'),
  })).describe('The owner first, then as they joined.'),
  invites: z.array(z.object({
    inviteId: idSchema,
    role: z.enum(inviteRoles),
    email: z.string().nullable(),
    capDOFs: dofsSchema.nullable(),
    createdAt: momentSchema,
    expiresAt: momentSchema,
  })).nullable().describe('Invites that can still be used, the first to expire first; null for members who do not own the session.'),
});
