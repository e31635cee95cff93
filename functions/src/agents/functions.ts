import { z } from 'zod';
import { operation } from '../runtime/operation.ts';
import { now } from '../runtime/system.ts';
import { toAgentView, toUserView } from './agents.ts';
import { agentView, renameAgentInput, setAlertThresholdsInput, userView } from './schema.ts';
import { createUser, getUser, listAgents, updateAgent } from './store.ts';

export const getMe = operation({
  name: 'getMe',
  summary: 'The signed-in user with the agents it owns and its open sessions.',
  access: 'signed-in',
  route: { method: 'get', path: '/me' },
  input: z.strictObject({}),
  output: userView,
  async handle(_input, { caller }) {
    const [user, agents] = await Promise.all([getUser(caller.uid), listAgents(caller.uid)]);
    if (user) return toUserView(caller.uid, user, agents, now());
    await createUser(caller.uid, { email: caller.email, displayName: null });
    return toUserView(caller.uid, (await getUser(caller.uid))!, agents, now());
  },
});

export const listMyAgents = operation({
  name: 'listMyAgents',
  summary: 'The agents that the signed-in user owns, oldest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/agents' },
  input: z.strictObject({}),
  output: z.object({ agents: z.array(agentView) }),
  async handle(_input, { caller }) {
    return { agents: (await listAgents(caller.uid)).map((agent) => toAgentView(agent, now())) };
  },
});

export const renameAgent = operation({
  name: 'renameAgent',
  summary: 'Gives an owned agent a nickname, or takes it back.',
  access: 'signed-in',
  route: { method: 'patch', path: '/agents/{agentInstanceId}' },
  input: renameAgentInput,
  output: agentView,
  async handle({ agentInstanceId, customName }, { caller }) {
    return toAgentView(await updateAgent(caller.uid, agentInstanceId, { customName }), now());
  },
});

export const setAlertThresholds = operation({
  name: 'setAlertThresholds',
  summary: 'Sets the balances of an owned agent below which its owner is told.',
  access: 'signed-in',
  route: { method: 'patch', path: '/agents/{agentInstanceId}/alerts' },
  input: setAlertThresholdsInput,
  output: agentView,
  async handle({ agentInstanceId, alertThresholds }, { caller }) {
    return toAgentView(await updateAgent(caller.uid, agentInstanceId, { alertThresholds: [...new Set(alertThresholds)] }), now());
  },
});
