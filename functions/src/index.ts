import './runtime/options.ts';
import { callable } from './runtime/operation.ts';
import { operations } from './operations.ts';

// Operations, each also a REST route of `api`.
export const getMe = callable(operations.getMe);
export const listMyAgents = callable(operations.listMyAgents);
export const renameAgent = callable(operations.renameAgent);
export const startSession = callable(operations.startSession);
export const getSession = callable(operations.getSession);
export const listMySessions = callable(operations.listMySessions);
export const processFrame = callable(operations.processFrame);
export const endSession = callable(operations.endSession);
export const getServerStatus = callable(operations.getServerStatus);
export { api } from './api.ts';

// Triggers.
export { createUserDocument } from './agents/triggers.ts';
export { settleCheckpoint } from './credits/triggers.ts';
export { publishEvent } from './events/triggers.ts';
export { mirrorSession } from './sessions/triggers.ts';
export { sweep } from './ops/triggers.ts';
