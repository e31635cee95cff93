import { getMe, listMyAgents, renameAgent, setAlertThresholds } from './agents/functions.ts';
import { adjustBalance, grantDofs, placeHold, postHold, releaseHold, voidGrant } from './credits/functions.ts';
import { deleteSession, exportSession, listTurns } from './history/functions.ts';
import { processFrame } from './live/functions.ts';
import { getMedia, listMedia } from './media/functions.ts';
import { deleteAllMemories, deleteMemory, listMemories } from './memory/functions.ts';
import { getServerStatus } from './ops/functions.ts';
import type { Operation } from './runtime/operation.ts';
import { endSession, getSession, listMySessions, renameSession, startSession } from './sessions/functions.ts';
import { joinSession, leaveSession, listMembers, removeMember, revokeInvite, shareSession } from './sharing/functions.ts';
import { exportUsage, getReceipt, listLedger } from './usage/functions.ts';
import { mintVoiceToken } from './voice/functions.ts';

/** Every operation by name: what the callables, the REST routes and the OpenAPI document are made from. */
export const operations = {
  getServerStatus, getMe, listMyAgents, renameAgent, setAlertThresholds, listMemories, deleteMemory, deleteAllMemories, startSession, getSession, listMySessions, renameSession, processFrame, mintVoiceToken, endSession,
  shareSession, revokeInvite, joinSession, leaveSession, removeMember, listMembers, listTurns, exportSession, deleteSession, getMedia, listMedia,
  getReceipt, listLedger, exportUsage, grantDofs, voidGrant, adjustBalance, placeHold, postHold, releaseHold,
} satisfies Record<string, Operation>;
