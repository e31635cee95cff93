import type { z } from 'zod';
import { availableIn } from '../credits/lots.ts';
import type { AgentDoc, AgentView, UserDoc, userView } from './schema.ts';

/** DOFs of an agent that a new hold can take at `now` (ms); never negative. */
export function availableDOFs(agent: Pick<AgentDoc, 'lots' | 'holds'>, now: number): number {
  return availableIn(agent.lots, agent.holds, now);
}

/** An agent as clients see it. */
export function toAgentView(agent: AgentDoc, now: number): AgentView {
  return {
    agentInstanceId: agent.agentInstanceId,
    agentProductId: agent.agentProductId,
    purchasedAt: agent.purchasedAt.toDate().toISOString(),
    currentDOFs: agent.currentDOFs,
    heldDOFs: agent.heldDOFs,
    availableDOFs: availableDOFs(agent, now),
    debtDOFs: agent.debtDOFs,
    alertThresholds: agent.alertThresholds,
    lots: Object.entries(agent.lots).map(([grantId, { source, remaining, priority, expiresAt, voided, createdAt }]) => ({
      grantId, source, remainingDOFs: remaining, priority, expiresAt: expiresAt?.toDate().toISOString() ?? null, voided, createdAt: createdAt.toDate().toISOString(),
    })),
    ...(agent.customName === null ? {} : { customName: agent.customName }),
  };
}

/** The user in the shape of seed 000. */
export function toUserView(userId: string, user: UserDoc, agents: AgentDoc[], now: number): z.input<typeof userView> {
  const activeSessions = Object.entries(user.activeSessions).map(([sessionId, agentInstanceId]) => ({ sessionId, agentInstanceId }));
  const [first] = activeSessions;
  return {
    userId,
    email: user.email ?? null,
    displayName: user.displayName ?? null,
    ownedAgents: agents.map((agent) => toAgentView(agent, now)),
    activeSessions,
    ...(first ? { activeSessionId: first.sessionId } : {}),
  };
}
