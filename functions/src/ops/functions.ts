import { z } from 'zod';
import { cached } from '../runtime/cached.ts';
import { operation } from '../runtime/operation.ts';
import { serverConfigSchema } from '../sessions/schema.ts';
import { getServerConfig } from './store.ts';

/** Anybody may ask for it, so it is read once in 5 s at most, and that old. */
const recentConfig = cached(5_000, getServerConfig);

export const getServerStatus = operation({
  name: 'getServerStatus',
  summary: 'What a client needs before it signs in: whether the service is up, its limits and its public endpoints.',
  access: 'public',
  route: { method: 'get', path: '/status' },
  input: z.strictObject({}),
  output: z.object({
    status: z.enum(['up', 'maintenance']),
    limits: serverConfigSchema.shape.limits.unwrap(),
    endpoints: serverConfigSchema.shape.endpoints,
    serverTime: z.iso.datetime(),
  }),
  async handle() {
    const { maintenance, limits, endpoints } = await recentConfig();
    return { status: maintenance ? 'maintenance' as const : 'up' as const, limits, endpoints, serverTime: new Date().toISOString() };
  },
});
