import { z } from 'zod';
import { roles, type SessionDoc } from '../sessions/schema.ts';
import { isOwn, pathsOf, type AgentFacts, type Drift } from './facts.ts';

const membership = z.object({ members: z.record(z.string(), z.enum(roles)), memberIds: z.array(z.string()), memberCaps: z.record(z.string(), z.int().positive()) });

/** Checks who the members of the agent's sessions are. Whom they let in, no ledger tells: nothing of it can be repaired. */
export function examineMembers(facts: AgentFacts): Drift[] {
  return Object.entries(facts.sessions).flatMap(([id, session]): Drift[] => {
    if (!isOwn(session, facts) || isSound(session)) return [];
    const { members = null, memberIds = null, memberCaps = null, deletedAt } = session as Partial<SessionDoc>;
    const expected = deletedAt ? 'no members, since it was deleted' : 'its owner and others up to its limit, all of them listed once, caps for players only';
    return [{ kind: 'session.members', documents: [pathsOf(facts).session(id)], expected, found: { members, memberIds, memberCaps }, repairable: false }];
  });
}

function isSound(session: SessionDoc): boolean {
  const parsed = membership.safeParse(session);
  if (!parsed.success) return false;
  const { members, memberIds, memberCaps } = parsed.data;
  const uids = Object.keys(members);
  const owners = uids.filter((uid) => members[uid] === 'owner');
  const listed = new Set(memberIds);
  // Sessions from before there was a limit have none.
  const { maxMembers = Infinity } = session.config.limits as Partial<SessionDoc['config']['limits']>;
  return (session.deletedAt ? uids.length === 0 : owners.length === 1 && owners[0] === session.ownerId)
    && uids.length <= maxMembers
    && memberIds.length === uids.length && uids.every((uid) => listed.has(uid))
    && Object.keys(memberCaps).every((uid) => members[uid] === 'player');
}
