import type { z } from 'zod';
import type { AgentDoc, AgentView, UserDoc, userView } from './schema.ts';

/** DOFs of an agent that no open session holds; never negative. */
export function availableDOFs(agent: Pick<AgentDoc, 'currentDOFs' | 'heldDOFs'>): number {
  return Math.max(0, agent.currentDOFs - agent.heldDOFs);
}

/** An agent as clients see it. */
export function toAgentView(agent: AgentDoc): AgentView {
  return {
    agentInstanceId: agent.agentInstanceId,
    agentProductId: agent.agentProductId,
    purchasedAt: agent.purchasedAt.toDate().toISOString(),
    currentDOFs: agent.currentDOFs,
    heldDOFs: agent.heldDOFs,
    availableDOFs: availableDOFs(agent),
    ...(agent.customName === null ? {} : { customName: agent.customName }),
  };
}

/** The user in the shape of seed 000. */
export function toUserView(userId: string, user: UserDoc, agents: AgentDoc[]): z.input<typeof userView> {
  const activeSessions = Object.entries(user.activeSessions).map(([sessionId, agentInstanceId]) => ({ sessionId, agentInstanceId }));
  const [first] = activeSessions;
  return {
    userId,
    email: user.email ?? null,
    displayName: user.displayName ?? null,
    ownedAgents: agents.map(toAgentView),
    activeSessions,
    ...(first ? { activeSessionId: first.sessionId } : {}),
  };
}
