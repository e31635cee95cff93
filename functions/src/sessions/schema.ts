import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { ranks } from '../agents/schema.ts';
import { vendorNames } from '../providers/types.ts';
import { dofRatesSchema } from '../credits/schema.ts';
import { turnView } from '../history/schema.ts';
import { mediaTypes } from '../media/schema.ts';
import { dofsSchema, idSchema, momentSchema, pageSchema } from '../runtime/schema.ts';

/** config/server: limits, public endpoints and model routing. Holds no secret: keys live in Secret Manager. */
export const serverConfigSchema = z.object({
  limits: z.object({
    maxSessionsPerUser: z.int().min(1).default(1),
    sessionTimeoutMinutes: z.number().positive().default(240),
    maxDOFsPerSession: z.int().positive().default(50_000).describe('Most DOFs that one session may consume.'),
    holdDOFs: z.int().positive().default(5_000).describe('DOFs that a session holds at first, and adds when it runs low.'),
    idleTimeoutMinutes: z.number().positive().default(10),
    ownerGraceMinutes: z.number().positive().default(2).describe('How long the owner may be offline before the session pauses: members wait until the owner is back.'),
    maxQueuedTurns: z.int().min(1).max(20).default(8).describe('Most turns that may wait for the one in progress.'),
    maxQueueSeconds: z.number().positive().max(60).default(20).describe('How long a turn waits for its own at most.'),
    maxFrameBytes: z.int().positive().default(2_000_000),
    maxAudioBytes: z.int().positive().default(2_000_000),
    maxMembers: z.int().positive().max(50).default(8).describe('Most members of a session, its owner included.'),
    maxInstructionChars: z.int().positive().default(4_000),
    maxFramePixels: z.int().positive().max(50_000_000).default(16_000_000).describe('Most pixels of a frame, before it is scaled down.'),
    modelFailuresToRest: z.int().positive().default(5).describe('Failures of a model in a row after which an instance does not ask it for 30 s.'),
    voiceTokensPerDay: z.int().positive().default(20).describe('Voice tokens that one user may mint in a day (UTC).'),
    voiceTokenMinutes: z.int().positive().max(30).default(10).describe('Most minutes that a voice token is valid.'),
    turnTimeoutSeconds: z.number().positive().max(300).default(45),
  }).prefault({}),
  endpoints: z.object({
    apiBaseUrl: z.string(),
    liveDatabaseUrl: z.string(),
    streamCaptureUrl: z.string().nullable().default(null),
    joinUrl: z.string().nullable().default(null).describe('Page of the app that takes an invite behind `#`: the links of invites lead to it. null: invites have no link.'),
  }),
  modelRouting: z.record(z.enum(vendorNames), z.object({
    vision: z.string().describe('Model for turns with a frame.'),
    chat: z.string().describe('Model for the others.'),
    embedding: z.string().optional().describe('Model that embeds what agents remember.'),
    tts: z.string().optional().describe('Model that speaks. google needs none: its voices are models, and products name them.'),
    ttsFallbacks: z.array(z.object({ provider: z.enum(vendorNames), model: z.string(), voice: z.string() })).max(5).optional().describe('Voices that step in, in this order.'),
    live: z.string().optional().describe('Model that clients with a voice token talk to.'),
    stream: z.boolean().optional().describe('false: models are asked without streaming, and replies come in one piece.'),
    models: z.array(z.string()).optional().describe('Further models that products may name.'),
    fallbacks: z.array(z.object({ provider: z.enum(vendorNames), model: z.string() })).max(5).optional().describe('Models that step in, in this order, when one fails before any text.'),
  })),
  settleEveryDOFs: z.int().positive().max(10_000).default(1_000),
  alerts: z.object({
    platformBalanceDOFs: dofsSchema.default(1_000_000).describe('All balances together below which operators are told (seed 001, alerts).'),
  }).prefault({}),
  maintenance: z.boolean().default(false),
});
export type ServerConfig = z.output<typeof serverConfigSchema>;

/** The unwrapped product, frozen on the session. Client-safe by construction: no key, prompt or internal address is part of it. */
export const sessionConfigSchema = z.object({
  productName: z.string(),
  provider: z.enum(vendorNames),
  voiceId: z.string(),
  rank: z.enum(ranks),
  highSpeedVision: z.boolean(),
  highSpeedMode: z.enum(['burst', 'continuous']).nullable(),
  toolkit: z.array(z.string()),
  voiceEnabled: z.boolean(),
  interactiveVoiceMode: z.boolean(),
  commentaryMode: z.boolean(),
  hasMemory: z.boolean(),
  skipUnchangedBelow: z.number().nullable(),
  keptMedia: z.array(z.enum(mediaTypes)).describe('What is kept of the turns.'),
  specialization: z.record(z.string(), z.unknown()).nullable(),
  endpoints: serverConfigSchema.shape.endpoints,
  modelRouting: serverConfigSchema.shape.modelRouting.valueType,
  limits: serverConfigSchema.shape.limits.unwrap(),
  dofRates: dofRatesSchema,
});
export type SessionConfig = z.output<typeof sessionConfigSchema>;

/** Why a session is over. */
export const closeReasons = ['user', 'dofs_exhausted', 'idle', 'expired', 'superseded', 'admin', 'provider_failure'] as const;
export type CloseReason = (typeof closeReasons)[number];

export const gameContextSchema = z.strictObject({
  platform: z.enum(['pc', 'console', 'mobile']),
  gameId: z.string().max(100).optional(),
  streamUrl: z.url({ protocol: /^https$/ }).max(500).optional(),
});

/** What a member of a session may do: its owner everything, a player take turns, a spectator watch. */
export const roles = ['owner', 'player', 'spectator'] as const;
export type Role = (typeof roles)[number];

/** sessions/{sessionId} */
export interface SessionDoc {
  sessionId: string;
  ownerId: string;
  /** Everybody who may watch, by account; the owner is one of them. */
  members: Record<string, Role>;
  /** The keys of `members`, for queries. */
  memberIds: string[];
  /** Most DOFs that a player may consume in this session; absent: what the session has. */
  memberCaps: Record<string, number>;
  /** When its owner removed those who are no members any more, by account: no invite from before brings them back. */
  removedAt: Record<string, Timestamp>;
  /** What its owner calls it. */
  name: string | null;
  agentInstanceId: string;
  agentProductId: string;
  /** Version of the product whose rates are pinned in `config.dofRates`. */
  priceVersion: number;
  config: SessionConfig;
  settleEveryDOFs: number;
  status: 'active' | 'ended';
  closeReason: CloseReason | null;
  /** Available DOFs of the agent when the session started. */
  startingDOFs: number;
  /** Total metered so far, as of the last checkpoint; final once ended. */
  consumedDOFs: number;
  settledDOFs: number;
  /** What the agent's hold for this session, whose id is the session's, still holds. */
  heldDOFs: number;
  gameContext: z.output<typeof gameContextSchema> | null;
  startedAt: Timestamp;
  expiresAt: Timestamp;
  endedAt: Timestamp | null;
  /** Rises when another client takes the session over; fences the one before. */
  generation: number;
  /** Rises with every committed change; orders events and mirrors. */
  version: number;
  /** `open` while running, `pending` between the end and its last settlement, then `done`. */
  settlement: 'open' | 'pending' | 'done';
  /** When the sweep may archive the turns of the ended session and remove its live state; null while open and once that is done. */
  cleanupAt: Timestamp | null;
  /** When its owner deleted it: from then on it has no members, and only what it cost is left. */
  deletedAt: Timestamp | null;
}

/** Where a page of sessions ended. */
export interface Cursor {
  status: SessionDoc['status'];
  startedAt: number;
  sessionId: string;
}

/** A session as its owner sees it. */
export const ownSessionView = z.object({
  sessionId: idSchema,
  name: z.string().nullable().describe('What its owner calls it.'),
  role: z.enum(roles).describe('What the caller is in it.'),
  agentInstanceId: idSchema,
  agentProductId: idSchema,
  status: z.enum(['active', 'ended']),
  closeReason: z.enum(closeReasons).nullable(),
  startingDOFs: dofsSchema,
  consumedDOFs: dofsSchema.describe('Settled-to-date while open (the live meter is at live.path), final once ended.'),
  settledDOFs: dofsSchema,
  settlement: z.enum(['open', 'pending', 'done']),
  gameContext: gameContextSchema.nullable(),
  startedAt: momentSchema,
  expiresAt: momentSchema,
  endedAt: momentSchema.nullable(),
  generation: z.int(),
  priceVersion: z.int(),
});

/** A session as any member sees it: what it costs is its owner's business, and so is what it is about. */
export const sessionView = ownSessionView.extend({
  startingDOFs: dofsSchema.nullable().describe('null for members who do not own the session.'),
  consumedDOFs: dofsSchema.nullable().describe('Settled-to-date while open (the live meter is at live.path), final once ended; null for members who do not own the session.'),
  settledDOFs: dofsSchema.nullable().describe('null for members who do not own the session.'),
  gameContext: gameContextSchema.nullable().describe('null for members who do not own the session.'),
});

/** Where a client watches a session: open `path` in the Realtime Database at `databaseUrl`. */
export const liveAddress = z.object({ databaseUrl: z.string(), path: z.string(), streamsPath: z.string() });

export const startSessionInput = z.strictObject({
  agentInstanceId: idSchema,
  gameContext: gameContextSchema.optional(),
  takeOver: z.boolean().default(false).describe('End another open session, or fence the client that holds this one.'),
  seenTurnId: idSchema.optional().describe('The last turn that this client has seen: the answer has those after it.'),
});

export const startSessionOutput = z.object({
  sessionId: idSchema,
  generation: z.int(),
  resumed: z.boolean(),
  config: sessionConfigSchema,
  live: liveAddress,
  missedTurns: z.array(turnView).describe('Of a session that was resumed, what was said after seenTurnId, oldest first: the last 20 turns at most; listTurns has those before. Without seenTurnId, or where it is unknown, the last 20.'),
  remainingDOFs: dofsSchema.describe('What this session may still spend.'),
  expiresAt: momentSchema,
});

export const sessionIdInput = z.strictObject({ sessionId: idSchema });

export const renameSessionInput = z.strictObject({
  sessionId: idSchema,
  name: z.string().trim().min(1).max(60).regex(/^\P{Cc}*$/u, 'must not contain control characters').nullable().describe('What the session is called, or null for no name.'),
});

export const listMySessionsInput = pageSchema;
export const listMySessionsOutput = z.object({ sessions: z.array(sessionView), nextCursor: z.string().nullable() });
