import { availableDOFs } from '../agents/agents.ts';
import type { AgentDoc, ProductDoc, UserDoc } from '../agents/schema.ts';
import { AppError } from '../runtime/errors.ts';
import type { ServerConfig, SessionConfig, SessionDoc } from './schema.ts';
import { unwrapProduct } from './unwrap.ts';

/** What is known when a start is decided; all read before anything is written. */
export interface StartFacts {
  user: UserDoc | null;
  agent: AgentDoc | null;
  product: ProductDoc | null;
  server: ServerConfig;
  /** The open sessions that the user document names. */
  open: SessionDoc[];
  now: number;
}

/** What a start amounts to. */
export type StartDecision =
  | { kind: 'start' }
  | { kind: 'resume'; session: SessionDoc }
  | { kind: 'end-first'; session: SessionDoc; reason: 'expired' | 'superseded' };

/**
 * Decides what startSession does: the same agent resumes, a session past its time is ended first, another agent's
 * session is refused or, with `takeOver`, superseded.
 * @throws AppError `not-found`, `unavailable` (maintenance), `failed-precondition` (session_limit, agent_unavailable),
 *   `resource-exhausted` (no_dofs).
 */
export function decideStart(facts: StartFacts, request: { agentInstanceId: string; takeOver: boolean }): StartDecision {
  const { agent, server, now } = facts;
  if (server.maintenance) throw new AppError('unavailable', 'The service is being maintained. Try again later.', { reason: 'maintenance' });
  if (!agent || !facts.user) throw new AppError('not-found', 'You own no agent with this id.', { reason: 'not_found' });
  const over = facts.open.find((session) => session.expiresAt.toMillis() <= now);
  if (over) return { kind: 'end-first', session: over, reason: 'expired' };
  const same = facts.open.find((session) => session.agentInstanceId === request.agentInstanceId);
  if (same) return { kind: 'resume', session: same };
  requireUsable(facts, agent);
  const [other] = facts.open;
  if (!other || facts.open.length < server.limits.maxSessionsPerUser) return { kind: 'start' };
  if (request.takeOver) return { kind: 'end-first', session: other, reason: 'superseded' };
  throw new AppError('failed-precondition', `Another session is open (${other.sessionId}). End it first, or send takeOver: true.`, {
    reason: 'session_limit',
    sessionId: other.sessionId,
    agentInstanceId: other.agentInstanceId,
  });
}

function requireUsable({ product, now }: StartFacts, agent: AgentDoc): void {
  if (!product) throw new AppError('failed-precondition', 'The product of this agent is not available. Contact support.', { reason: 'agent_unavailable' });
  if (availableDOFs(agent, now) <= 0) {
    throw new AppError('resource-exhausted', 'This agent has no DOFs left. Renew its contract or top it up.', { reason: 'no_dofs', availableDOFs: 0 });
  }
}

/** What identifies and dates a new session. */
export interface NewSession {
  sessionId: string;
  ownerId: string;
  gameContext: SessionDoc['gameContext'];
  startedAt: SessionDoc['startedAt'];
  expiresAt: SessionDoc['expiresAt'];
}

/** The document of a new session: holds what the agent has available, up to one step; `nextHold` says how it goes on. */
export function newSession(agent: AgentDoc, product: ProductDoc, server: ServerConfig, fresh: NewSession): SessionDoc {
  const available = availableDOFs(agent, fresh.startedAt.toMillis());
  const { holdDOFs, maxDOFsPerSession } = server.limits;
  const config = unwrapProduct(product, server);
  return {
    ...fresh,
    members: { [fresh.ownerId]: 'owner' },
    memberIds: [fresh.ownerId],
    memberCaps: {},
    removedAt: {},
    name: null,
    agentInstanceId: agent.agentInstanceId,
    agentProductId: agent.agentProductId,
    priceVersion: product.version,
    config,
    settleEveryDOFs: server.settleEveryDOFs,
    status: 'active',
    closeReason: null,
    startingDOFs: available,
    consumedDOFs: 0,
    settledDOFs: 0,
    heldDOFs: Math.min(beyondVoice(config, available, 1), holdDOFs, maxDOFsPerSession),
    endedAt: null,
    generation: 1,
    version: 1,
    settlement: 'open',
    cleanupAt: null,
    deletedAt: null,
  };
}

/**
 * DOFs to add to the hold of a session that needs `missing` more than it has left: another step of `holdDOFs`, as far
 * as the agent has DOFs available and the limit per session allows. 0 when there is nothing to add.
 */
export function nextHold(session: Pick<SessionDoc, 'config' | 'settledDOFs' | 'heldDOFs'>, available: number, missing: number): number {
  const { holdDOFs, maxDOFsPerSession } = session.config.limits;
  const allowed = maxDOFsPerSession - session.settledDOFs - session.heldDOFs;
  return Math.max(0, Math.min(beyondVoice(session.config, available, missing), allowed, Math.max(holdDOFs, missing)));
}

/** Of what is available: all but the price of a voice token, which is paid for beside the session, unless the session needs it. */
function beyondVoice({ interactiveVoiceMode, dofRates: { voiceMinute = 0 }, limits: { voiceTokenMinutes } }: SessionConfig, available: number, needed: number): number {
  const reserved = interactiveVoiceMode ? voiceMinute * (voiceTokenMinutes ?? 0) : 0;
  return available - reserved >= needed ? available - reserved : available;
}
