import { dueAtOf, type Balance } from '../credits/balance.ts';
import { availableIn, type Holds, type Lots } from '../credits/lots.ts';
import { pathsOf, sameMoment, shown, type AgentFacts, type Drift, type DriftKind, type Value } from './facts.ts';
import { examineHolds, examineRecords, type ExaminedHolds } from './holds.ts';
import { replayLedger, type Replay } from './ledger.ts';
import { examineGrants, examineLots } from './lots.ts';
import { examineMembers } from './members.ts';
import { examineSessions, examineUser, type ExaminedSessions, type ExaminedUser } from './sessions.ts';
import { shape } from './shapes.ts';

/** What is wrong with an agent's money, and what its projections should say. */
export interface Examination {
  drifts: Drift[];
  /** The money of the agent document as it should be; null when too little could be read to say. */
  balance: Balance | null;
  released: ExaminedHolds['released'];
  sessions: ExaminedSessions['corrections'];
  activeSessions: ExaminedUser['corrections'];
}

/** How the documents of one agent contradict each other; nothing, unless something is wrong. */
export function auditAgent(facts: AgentFacts): Drift[] {
  return examine(facts).drifts;
}

/**
 * Compares everything that is known of an agent's money. The ledger is the truth; what follows from it is judged only
 * when it is sound itself. One cause is reported once: what is judged later is judged against what earlier parts
 * should be, not against what they are.
 */
export function examine(unshaped: AgentFacts): Examination {
  const { facts, drifts: malformed, ledgerWhole, enough } = shape(unshaped);
  const paths = pathsOf(facts);
  const replay = soundUpToTheEnd(replayLedger(facts.ledger, paths, ledgerWhole), facts);
  const lots = examineLots(facts, replay);
  const holds = examineHolds(facts, lots.lots, replay);
  const balance = examineBalance(facts, replay, { lots: lots.lots, ...holds });
  const sessions = examineSessions(facts, replay, holds);
  const user = examineUser(facts);
  const drifts = [
    ...malformed, ...replay.drifts, ...examineGrants(facts, paths, replay), ...balance.drifts, ...lots.drifts,
    ...holds.drifts, ...examineRecords(facts, replay), ...sessions.drifts, ...examineMembers(facts), ...user.drifts,
  ];
  return {
    drifts: enough ? drifts : drifts.map((drift) => ({ ...drift, repairable: false })),
    balance: enough ? balance.right : null,
    released: holds.released,
    sessions: sessions.corrections,
    activeSessions: user.corrections,
  };
}

/** An agent document that counts more entries than there are, and has another balance than they explain, has lost the last ones. */
function soundUpToTheEnd(replay: Replay, facts: AgentFacts): Replay {
  const { seq, currentDOFs, debtDOFs } = facts.agent;
  const differs = currentDOFs !== replay.currentDOFs || debtDOFs !== replay.debtDOFs;
  if (!replay.sound || seq <= replay.seq || !differs) return replay;
  const paths = pathsOf(facts);
  const lost: Drift = { kind: 'ledger.missing', documents: [paths.ledger, paths.agent], expected: { entries: seq, currentDOFs }, found: { entries: replay.seq, currentDOFs: replay.currentDOFs }, repairable: false };
  return { ...replay, sound: false, drifts: [...replay.drifts, lost] };
}

/** Compares the agent document's totals with the ledger, and with its lots and holds as they should be. */
function examineBalance(facts: AgentFacts, replay: Replay, { lots, holds, gone }: { lots: Lots } & Pick<ExaminedHolds, 'holds' | 'gone'>): { drifts: Drift[]; right: Balance } {
  const { agent, at } = facts;
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const report = (kind: DriftKind, expected: Value, found: Value | undefined, repairable: boolean): void => {
    if (expected !== found) drifts.push({ kind, documents: [paths.agent], expected, found: found ?? null, repairable });
  };
  report('agent.identity', paths.agent, pathsOf({ userId: agent.ownerId, agentInstanceId: agent.agentInstanceId }).agent, false);
  const { currentDOFs, debtDOFs, seq } = replay.sound ? replay : agent;
  report('agent.currentDOFs', currentDOFs, agent.currentDOFs, true);
  report('agent.debtDOFs', debtDOFs, agent.debtDOFs, true);
  report('agent.seq', seq, agent.seq, true);
  const totals = { currentDOFs, debtDOFs, seq };
  const judged = derived({ ...totals, lots, holds });
  report('agent.heldDOFs', judged.heldDOFs, agent.heldDOFs, true);
  if (!sameMoment(judged.dueAt, agent.dueAt)) report('agent.dueAt', shown(judged.dueAt), shown(agent.dueAt), true);
  const unpaid = Math.min(debtDOFs, availableIn(lots, holds, at));
  if (unpaid > 0) report('agent.unpaidDebt', { debtDOFs: debtDOFs - unpaid }, { debtDOFs, availableDOFs: availableIn(lots, holds, at) }, false);
  const kept = Object.fromEntries(Object.entries(holds).filter(([holdId]) => !gone.has(holdId)));
  return { drifts, right: derived({ ...totals, lots, holds: kept }) };
}

/** A balance with what follows from its lots and holds. */
function derived(balance: Omit<Balance, 'heldDOFs' | 'dueAt'> & { holds: Holds }): Balance {
  const heldDOFs = Object.values(balance.holds).reduce((sum, { amount }) => sum + amount, 0);
  return { ...balance, heldDOFs, dueAt: dueAtOf(balance.lots, balance.holds) };
}
