import { getMe, listMyAgents, renameAgent } from './agents/functions.ts';
import { processFrame } from './live/functions.ts';
import { getServerStatus } from './ops/functions.ts';
import type { Operation } from './runtime/operation.ts';
import { endSession, getSession, listMySessions, startSession } from './sessions/functions.ts';

/** Every operation by name: what the callables, the REST routes and the OpenAPI document are made from. */
export const operations = {
  getServerStatus, getMe, listMyAgents, renameAgent, startSession, getSession, listMySessions, processFrame, endSession,
} satisfies Record<string, Operation>;
