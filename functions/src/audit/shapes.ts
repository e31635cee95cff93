import type { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { entryTypes } from '../credits/schema.ts';
import { pathsOf, type AgentFacts, type Drift } from './facts.ts';

// The parts of the documents that the audit reads; whether numbers are whole and add up is for its checks.
const moment = z.custom<Timestamp>((value) => typeof (value as Partial<Timestamp> | null)?.toMillis === 'function', 'expected a timestamp');
const parts = z.array(z.object({ grantId: z.string(), amount: z.number() }));
const wholeParts = z.array(z.object({ grantId: z.string(), amount: z.int().nonnegative() }));
const rollover = z.object({ maxDOFs: z.number(), days: z.number() }).nullable();
const terms = { source: z.string(), priority: z.number(), expiresAt: moment.nullable(), rollover };

const entryShape = z.object({
  type: z.enum(entryTypes), amount: z.number(), balanceAfter: z.number(), operationId: z.string(), lots: parts, debt: z.number(), seq: z.number(),
  sessionId: z.string().optional(), holdId: z.string().optional(), grantId: z.string().optional(), correctsEntryId: z.string().optional(),
});
const grantShape = z.object({ grantId: z.string(), amount: z.number(), createdAt: moment, ...terms });
const resolvedShape = z.object({ holdId: z.string(), state: z.enum(['posted', 'released', 'expired']), postedDOFs: z.number(), releasedDOFs: z.number(), lots: parts, sessionId: z.string().nullable() });
const sessionShape = z.object({
  ownerId: z.string(), agentInstanceId: z.string(), status: z.enum(['active', 'ended']), settlement: z.enum(['open', 'pending', 'done']),
  consumedDOFs: z.number(), settledDOFs: z.number(), heldDOFs: z.number(), startedAt: moment, expiresAt: moment, endedAt: moment.nullable(),
  config: z.object({ limits: z.object({ maxSessionsPerUser: z.number() }) }),
});
const lotShape = z.object({ remaining: z.number(), voided: z.boolean(), createdAt: moment, ...terms });
const holdShape = z.object({
  amount: z.number(), lots: wholeParts, postedDOFs: z.number(), sessionId: z.string().nullable(), expiresAt: moment, createdAt: moment,
  onExpiry: z.literal('post').optional(), originSessionId: z.string().optional(),
});
const agentShape = z.object({
  ownerId: z.string(), agentInstanceId: z.string(), version: z.int(),
  lots: z.record(z.string(), z.unknown()), holds: z.record(z.string(), z.unknown()),
});
const userShape = z.object({ activeSessions: z.record(z.string(), z.string()) });

/** Facts whose documents all have their shape, and what had to be left out. */
export interface Shaped {
  facts: AgentFacts;
  drifts: Drift[];
  /** Every ledger entry could be read. */
  ledgerWhole: boolean;
  /** Nothing was left out that a repair would have to know: all but lots of the agent document. */
  enough: boolean;
}

/** Leaves out what does not have the shape of its kind, so that no later check can trip over it. */
export function shape(facts: AgentFacts): Shaped {
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const fits = (schema: z.ZodType, value: unknown, document: string, field = '', repairable = false): boolean => {
    const { error } = schema.safeParse(value);
    if (!error) return true;
    const at = (path: PropertyKey[]): string => [field, ...path.map(String)].filter((part) => part !== '').join('.') || '(document)';
    drifts.push({ kind: 'document.malformed', documents: [document], expected: error.issues.map(({ path, message }) => `${at(path)}: ${message}`), found: null, repairable });
    return false;
  };
  const keep = <T>(documents: Record<string, T>, schema: z.ZodType, path: (id: string) => string): Record<string, T> =>
    Object.fromEntries(Object.entries(documents).filter(([id, document]) => fits(schema, document, path(id))));

  const ledger = keep(facts.ledger, entryShape, paths.entry);
  const ledgerWhole = drifts.length === 0;
  const grants = keep(facts.grants, grantShape, paths.grant);
  const resolvedHolds = keep(facts.resolvedHolds, resolvedShape, paths.hold);
  const sessions = keep(facts.sessions, sessionShape, paths.session);
  const user = facts.user && fits(userShape, facts.user, paths.user) ? facts.user : null;
  fits(agentShape, facts.agent, paths.agent);
  const holds = Object.entries(asMap(facts.agent.holds)).filter(([id, hold]) => fits(holdShape, hold, paths.agent, `holds.${id}`));
  const enough = drifts.length === 0;
  const lots = Object.entries(asMap(facts.agent.lots)).filter(([id, lot]) => fits(lotShape, lot, paths.agent, `lots.${id}`, enough));
  const dueAt = moment.nullable().safeParse(facts.agent.dueAt).success ? facts.agent.dueAt : null;
  const agent = { ...facts.agent, dueAt, lots: Object.fromEntries(lots), holds: Object.fromEntries(holds) };
  return { facts: { ...facts, agent, ledger, grants, resolvedHolds, sessions, user }, drifts, ledgerWhole, enough };
}

function asMap<T>(value: Record<string, T>): Record<string, T> {
  return typeof value === 'object' && value !== null ? value : {};
}
