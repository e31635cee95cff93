import type { Timestamp } from 'firebase-admin/firestore';
import type { ResolvedHold } from '../credits/holds.ts';
import type { Balance } from '../credits/balance.ts';
import { examine } from './audit.ts';
import { shown, type AgentFacts, type Value } from './facts.ts';
import type { SessionMoney } from './sessions.ts';

/** What a repair writes: projections, and the records of the holds that it releases. Never a ledger entry, never a grant. */
export interface Repair {
  /** New values of fields of the agent document; nothing else of it changes. */
  agent: Partial<Balance>;
  /** Records to create. */
  released: ResolvedHold[];
  /** New values of fields of sessions. */
  sessions: Record<string, SessionMoney>;
  /** The user's open sessions; null when they are right. */
  activeSessions: Record<string, string> | null;
}

/** What has to be written so that every drift that can be repaired is gone. Null when there is none. */
export function planRepair(facts: AgentFacts): Repair | null {
  const { drifts, balance, released, sessions, activeSessions } = examine(facts);
  if (!balance || !drifts.some(({ repairable }) => repairable)) return null;
  return {
    agent: changed(facts.agent, balance),
    released,
    sessions,
    activeSessions: facts.user && Object.keys(activeSessions).length > 0 ? corrected(facts.user.activeSessions, activeSessions) : null,
  };
}

/** What a repair changes, for the event that tells of it: the values before and after. */
export function describeRepair(facts: AgentFacts, { agent, released, sessions, activeSessions }: Repair): { before: Value; after: Value; releasedHolds: Value } {
  const sessionsBefore = Object.entries(sessions).map(([id, after]) => [id, pick(facts.sessions[id]!, Object.keys(after))]);
  return plain({
    before: { ...pick(facts.agent, Object.keys(agent)), sessions: Object.fromEntries(sessionsBefore) as object, ...(activeSessions ? { activeSessions: facts.user?.activeSessions } : {}) },
    after: { ...agent, sessions, ...(activeSessions ? { activeSessions } : {}) },
    releasedHolds: released.map(({ holdId, releasedDOFs, postedDOFs }) => ({ holdId, releasedDOFs, postedDOFs })),
  }) as { before: Value; after: Value; releasedHolds: Value };
}

function pick(from: object, fields: string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([field]) => fields.includes(field)));
}

/** The same with moments as text; what is not there is left out. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('toMillis' in value) return shown(value as Timestamp);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

/** The fields that differ. */
function changed(before: Balance, after: Balance): Partial<Balance> {
  const fields = Object.entries(after) as [keyof Balance, Balance[keyof Balance]][];
  return Object.fromEntries(fields.filter(([field, value]) => stable(before[field]) !== stable(value)));
}

function corrected(found: Record<string, string>, corrections: Record<string, string | null>): Record<string, string> {
  const entries = Object.entries({ ...found, ...corrections });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The same text for the same value, in whatever order its fields stand. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
    : part)) ?? 'undefined';
}
