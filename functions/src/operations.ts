import { getMe, listMyAgents, renameAgent, setAlertThresholds } from './agents/functions.ts';
import { adjustBalance, grantDofs, placeHold, postHold, releaseHold, voidGrant } from './credits/functions.ts';
import { processFrame } from './live/functions.ts';
import { getServerStatus } from './ops/functions.ts';
import type { Operation } from './runtime/operation.ts';
import { endSession, getSession, listMySessions, startSession } from './sessions/functions.ts';
import { exportUsage, getReceipt, listLedger } from './usage/functions.ts';

/** Every operation by name: what the callables, the REST routes and the OpenAPI document are made from. */
export const operations = {
  getServerStatus, getMe, listMyAgents, renameAgent, setAlertThresholds, startSession, getSession, listMySessions, processFrame, endSession,
  getReceipt, listLedger, exportUsage, grantDofs, voidGrant, adjustBalance, placeHold, postHold, releaseHold,
} satisfies Record<string, Operation>;
