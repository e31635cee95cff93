import { z } from 'zod';
import { operation } from '../runtime/operation.ts';
import { toAgentView, toUserView } from './agents.ts';
import { agentView, renameAgentInput, userView } from './schema.ts';
import { createUser, getUser, listAgents, renameAgent as rename } from './store.ts';

export const getMe = operation({
  name: 'getMe',
  summary: 'The signed-in user with the agents it owns and its open sessions.',
  access: 'signed-in',
  route: { method: 'get', path: '/me' },
  input: z.strictObject({}),
  output: userView,
  async handle(_input, { caller }) {
    const [user, agents] = await Promise.all([getUser(caller.uid), listAgents(caller.uid)]);
    if (user) return toUserView(caller.uid, user, agents);
    await createUser(caller.uid, { email: caller.email, displayName: null });
    return toUserView(caller.uid, (await getUser(caller.uid))!, agents);
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
    return { agents: (await listAgents(caller.uid)).map(toAgentView) };
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
    return toAgentView(await rename(caller.uid, agentInstanceId, customName));
  },
});
