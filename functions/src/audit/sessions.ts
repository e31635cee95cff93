import { isOwn, overdueMs, pathsOf, shown, stageOf, type AgentFacts, type Drift, type DriftKind, type Value } from './facts.ts';
import type { ExaminedHolds } from './holds.ts';
import type { Replay } from './ledger.ts';

/** What a session should say of its money, beside what it says; only what differs. */
export type SessionMoney = Partial<Record<'settledDOFs' | 'heldDOFs', number>>;

/** How the sessions of an agent differ from its ledger and its holds. */
export interface ExaminedSessions {
  drifts: Drift[];
  /** What to write to which session. */
  corrections: Record<string, SessionMoney>;
}

/** Checks the sessions of the agent against its ledger and its holds as they should be. */
export function examineSessions(facts: AgentFacts, replay: Replay, examined: ExaminedHolds): ExaminedSessions {
  const { sessions, agent, ledger, at } = facts;
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const corrections: Record<string, SessionMoney> = {};
  const settledOf = settledBySession(facts, replay);
  const referred = new Set([...Object.keys(agent.holds), ...Object.values(ledger).map(({ sessionId }) => sessionId)]);
  for (const [id, session] of Object.entries(sessions)) {
    const report = (kind: DriftKind, expected: Value, found: Value, repairable = false, other = paths.agent): void => {
      drifts.push({ kind, documents: [paths.session(id), other], expected, found, repairable });
    };
    if (!isOwn(session, facts)) {
      if (referred.has(id)) report('session.agent', paths.agent, pathsOf({ userId: session.ownerId, agentInstanceId: session.agentInstanceId }).agent);
      continue;
    }
    const { status, settlement, consumedDOFs, endedAt } = session;
    const stage = stageOf(session);
    if (stage === 'unclear') report('session.state', 'active and open, or ended and pending or done', { status, settlement, endedAt: shown(endedAt) });
    const settledDOFs = settledOf.get(id) ?? 0;
    if (session.settledDOFs !== settledDOFs) {
      report('session.settledDOFs', settledDOFs, session.settledDOFs, replay.sound, paths.ledger);
      if (replay.sound) corrections[id] = { settledDOFs };
    }
    // Null: its hold is not there and cannot be brought back.
    const heldDOFs = stage === 'done' ? 0 : examined.holds[id]?.amount ?? null;
    if (heldDOFs !== null && session.heldDOFs !== heldDOFs) {
      report('session.heldDOFs', heldDOFs, session.heldDOFs, true);
      corrections[id] = { ...corrections[id], heldDOFs };
    }
    // While the ledger cannot be trusted, the session's own word is as good as any.
    const least = replay.sound ? settledDOFs : session.settledDOFs;
    const most = stage === 'done' ? least : heldDOFs === null ? Infinity : least + heldDOFs;
    if (!Number.isInteger(consumedDOFs) || consumedDOFs < least || consumedDOFs > most) {
      report('session.consumedDOFs', most === Infinity ? `${least} or more` : most === least ? least : `${least} to ${most}`, consumedDOFs);
    }
    if (stage === 'pending' && (endedAt?.toMillis() ?? 0) < at - overdueMs) report('session.unsettled', `settled soon after ${shown(endedAt)}`, 'pending');
  }
  return { drifts, corrections };
}

function settledBySession({ ledger }: AgentFacts, { effects }: Replay): Map<string, number> {
  const settled = new Map<string, number>();
  for (const [id, { type, sessionId }] of Object.entries(ledger)) {
    // A posting in a session was paid beside its turns.
    if (type === 'settlement' && sessionId !== undefined) settled.set(sessionId, (settled.get(sessionId) ?? 0) - (effects[id] ?? 0));
  }
  return settled;
}

/** How the user's open sessions differ from those that are open. */
export interface ExaminedUser {
  drifts: Drift[];
  /** What to write to `activeSessions`: the agent of each session, or null to take it out. */
  corrections: Record<string, string | null>;
}

/** Checks the open sessions that the user document names, and those of this agent that it should name. */
export function examineUser(facts: AgentFacts): ExaminedUser {
  const { user, userId, sessions } = facts;
  if (!user) return { drifts: [], corrections: {} };
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const corrections: Record<string, string | null> = {};
  const named = user.activeSessions;
  const open = Object.keys(sessions).filter((id) => sessions[id]!.ownerId === userId && stageOf(sessions[id]!) === 'active' && (id in named || isOwn(sessions[id]!, facts)));
  for (const id of new Set([...Object.keys(named), ...open])) {
    if (sessions[id] && stageOf(sessions[id]) === 'unclear') continue;
    const expected = open.includes(id) ? sessions[id]!.agentInstanceId : null;
    const found = named[id] ?? null;
    if (expected === found) continue;
    corrections[id] = expected;
    drifts.push({ kind: 'user.activeSessions', documents: [paths.user, paths.session(id)], expected: { [id]: expected }, found: { [id]: found }, repairable: true });
  }
  // Each session was started below the limit that is frozen in it.
  const limit = Math.max(...open.map((id) => sessions[id]!.config.limits.maxSessionsPerUser));
  if (open.length > Math.max(0, limit)) drifts.push({ kind: 'user.sessionLimit', documents: [paths.user, ...open.sort().map(paths.session)], expected: `${limit} at most`, found: open.length, repairable: false });
  return { drifts, corrections };
}
