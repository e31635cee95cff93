import './runtime/options.ts';
import { guardServer } from './runtime/guard.ts';
import { callable } from './runtime/operation.ts';
import { operations } from './operations.ts';

guardServer(operations);

// Operations, each also a REST route of `api`.
export const getMe = callable(operations.getMe);
export const listMyAgents = callable(operations.listMyAgents);
export const renameAgent = callable(operations.renameAgent);
export const setAlertThresholds = callable(operations.setAlertThresholds);
export const listMemories = callable(operations.listMemories);
export const deleteMemory = callable(operations.deleteMemory);
export const deleteAllMemories = callable(operations.deleteAllMemories);
export const startSession = callable(operations.startSession);
export const getSession = callable(operations.getSession);
export const listMySessions = callable(operations.listMySessions);
export const renameSession = callable(operations.renameSession);
export const processFrame = callable(operations.processFrame);
export const mintVoiceToken = callable(operations.mintVoiceToken);
export const endSession = callable(operations.endSession);
export const shareSession = callable(operations.shareSession);
export const revokeInvite = callable(operations.revokeInvite);
export const joinSession = callable(operations.joinSession);
export const leaveSession = callable(operations.leaveSession);
export const removeMember = callable(operations.removeMember);
export const listMembers = callable(operations.listMembers);
export const listTurns = callable(operations.listTurns);
export const exportSession = callable(operations.exportSession);
export const deleteSession = callable(operations.deleteSession);
export const getMedia = callable(operations.getMedia);
export const listMedia = callable(operations.listMedia);
export const getReceipt = callable(operations.getReceipt);
export const listLedger = callable(operations.listLedger);
export const exportUsage = callable(operations.exportUsage);
export const grantDofs = callable(operations.grantDofs);
export const voidGrant = callable(operations.voidGrant);
export const adjustBalance = callable(operations.adjustBalance);
export const placeHold = callable(operations.placeHold);
export const postHold = callable(operations.postHold);
export const releaseHold = callable(operations.releaseHold);
export const getServerStatus = callable(operations.getServerStatus);
export { api } from './api.ts';

// Triggers.
export { createUserDocument } from './agents/triggers.ts';
export { settleCheckpoint } from './credits/triggers.ts';
export { publishEvent } from './events/triggers.ts';
export { embedMemory } from './memory/triggers.ts';
export { showConnected, showDisconnected } from './presence/triggers.ts';
export { mirrorSession } from './sessions/triggers.ts';
export { checkModels, sweep } from './ops/triggers.ts';
