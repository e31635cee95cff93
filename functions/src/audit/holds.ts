import { burn, sumOf, type Holds, type Lots } from '../credits/lots.ts';
import type { ResolvedHold } from '../credits/holds.ts';
import type { HoldDoc, LedgerDoc } from '../credits/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { isOwn, overdueMs, pathsOf, sameMoment, shown, stageOf, type AgentFacts, type Drift, type DriftKind, type Value } from './facts.ts';
import type { Replay } from './ledger.ts';

/** The holds as they should be, and how those of the agent document differ. */
export interface ExaminedHolds {
  drifts: Drift[];
  /** Those of the document, put right, and those that open sessions lack. */
  holds: Holds;
  /** Ids of those among them that nobody can resolve any more. */
  gone: Set<string>;
  /** How those are resolved; one whose record exists already is not among them. */
  released: ResolvedHold[];
}

/** Tells of a drift; the repair that goes with it, if any, is the caller's. */
type Tell = (kind: DriftKind, documents: string[], expected: Value, found: Value, repairable: boolean) => void;

/** Checks the pending holds against their sessions, the ledger and the lots they have taken from. */
export function examineHolds(facts: AgentFacts, lots: Lots, replay: Replay): ExaminedHolds {
  const examined: ExaminedHolds = { drifts: [], holds: {}, gone: new Set(), released: [] };
  const tell: Tell = (kind, documents, expected, found, repairable) => { examined.drifts.push({ kind, documents, expected, found, repairable }); };
  const posted = postedByHold(facts.ledger, replay);
  for (const [holdId, found] of Object.entries(facts.agent.holds)) {
    const session = facts.sessions[holdId];
    const right: HoldDoc = {
      ...found,
      amount: sumOf(found.lots),
      postedDOFs: replay.sound ? posted.get(holdId) ?? 0 : found.postedDOFs,
      ...(session ? { sessionId: holdId, expiresAt: session.expiresAt } : {}),
    };
    examined.holds[holdId] = right;
    examineFields(holdId, found, right, facts, tell);
    const fate = fateOf(holdId, right, facts, tell);
    if (fate !== 'kept') examined.gone.add(holdId);
    if (fate === 'released') examined.released.push(release(holdId, right));
  }
  Object.assign(examined.holds, missingHolds(facts, examined.holds, { lots: replay.sound ? lots : null, posted }, tell));
  for (const [grantId, held] of heldPerLot(examined.holds)) {
    const remaining = lots[grantId]?.remaining ?? 0;
    if (held > remaining) tell('hold.overdrawn', [pathsOf(facts).agent], { lot: grantId, heldAtMost: remaining }, { lot: grantId, held }, false);
  }
  return examined;
}

function examineFields(holdId: string, found: HoldDoc, right: HoldDoc, facts: AgentFacts, tell: Tell): void {
  const differs = (kind: DriftKind, expected: Value, is: Value): void => tell(kind, documentsOf(holdId, found, facts), { hold: holdId, is: expected }, { hold: holdId, is }, true);
  if (found.amount !== right.amount) differs('hold.amount', right.amount, found.amount);
  if (found.postedDOFs !== right.postedDOFs) differs('hold.postedDOFs', right.postedDOFs, found.postedDOFs);
  if (found.sessionId !== right.sessionId) differs('hold.session', right.sessionId, found.sessionId);
  if (!sameMoment(found.expiresAt, right.expiresAt)) differs('hold.expiresAt', shown(right.expiresAt), shown(found.expiresAt));
}

/** What has to become of a pending hold: it stays, it is taken out because it is resolved already, or it is released. */
function fateOf(holdId: string, hold: HoldDoc, facts: AgentFacts, tell: Tell): 'kept' | 'taken out' | 'released' {
  const paths = pathsOf(facts);
  const session = facts.sessions[holdId];
  const record = facts.resolvedHolds[holdId];
  const over = session ? isOwn(session, facts) && stageOf(session) === 'done' : hold.sessionId !== null;
  if (record) {
    const stale = over || hold.sessionId === null;
    tell('hold.resolvedTwice', [paths.agent, paths.hold(holdId)], { hold: holdId, is: record.state }, { hold: holdId, is: 'pending' }, stale);
    return stale ? 'taken out' : 'kept';
  }
  if (over) {
    tell('hold.orphan', documentsOf(holdId, hold, facts), { hold: holdId, is: null }, { hold: holdId, is: hold.amount }, true);
    return 'released';
  }
  if ((!session || stageOf(session) === 'active') && hold.expiresAt.toMillis() < facts.at - overdueMs) {
    tell('hold.overdue', documentsOf(holdId, hold, facts), { hold: holdId, is: `resolved soon after ${shown(hold.expiresAt)}` }, { hold: holdId, is: 'pending' }, false);
  }
  return 'kept';
}

function documentsOf(holdId: string, { sessionId }: HoldDoc, facts: AgentFacts): string[] {
  const { agent, session } = pathsOf(facts);
  return [agent, ...(sessionId !== null || facts.sessions[holdId] ? [session(holdId)] : [])];
}

/** The holds that open sessions lack, as far as they can be brought back: without lots to trust, not at all. */
function missingHolds(facts: AgentFacts, others: Holds, { lots, posted }: { lots: Lots | null; posted: Map<string, number> }, tell: Tell): Holds {
  const paths = pathsOf(facts);
  const missing: Holds = {};
  for (const [sessionId, session] of Object.entries(facts.sessions)) {
    if (!isOwn(session, facts) || !['active', 'pending'].includes(stageOf(session)) || others[sessionId]) continue;
    const record = facts.resolvedHolds[sessionId];
    if (record) {
      tell('hold.resolvedEarly', [paths.hold(sessionId), paths.session(sessionId), paths.agent], { hold: sessionId, is: 'pending' }, { hold: sessionId, is: record.state }, false);
      continue;
    }
    if (lots) missing[sessionId] = heldAgain(sessionId, session, lots, { ...others, ...missing }, { postedDOFs: posted.get(sessionId) ?? 0, at: facts.at });
    tell('hold.missing', [paths.agent, paths.session(sessionId)], { hold: sessionId, is: session.heldDOFs }, { hold: sessionId, is: null }, lots !== null);
  }
  return missing;
}

/** Checks the records of resolved holds. Nothing can be done about them: they are no projection. */
export function examineRecords(facts: AgentFacts, replay: Replay): Drift[] {
  const { resolvedHolds, sessions, agent } = facts;
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const posted = postedByHold(facts.ledger, replay);
  for (const [id, { holdId, state, postedDOFs, releasedDOFs, lots, sessionId }] of Object.entries(resolvedHolds)) {
    const expected = { holdId: id, sessionId: sessionId === null ? null : id, releasedDOFs: sumOf(lots), postedDOFs: posted.get(id) ?? 0, posted: postedDOFs > 0 };
    const found = { holdId, sessionId, releasedDOFs, postedDOFs, posted: state === 'expired' ? postedDOFs > 0 : state === 'posted' };
    const wrong = (Object.keys(expected) as (keyof typeof expected)[]).filter((field) => expected[field] !== found[field]);
    if (wrong.length > 0) drifts.push({ kind: 'hold.record', documents: [paths.hold(id)], expected: pick(expected, wrong), found: pick(found, wrong), repairable: false });
  }
  for (const [sessionId, session] of Object.entries(sessions)) {
    if (!isOwn(session, facts) || stageOf(session) !== 'done' || resolvedHolds[sessionId] || agent.holds[sessionId]) continue;
    drifts.push({ kind: 'hold.recordMissing', documents: [paths.hold(sessionId), paths.session(sessionId)], expected: { postedDOFs: session.settledDOFs }, found: null, repairable: false });
  }
  return drifts;
}

function postedByHold(ledger: Record<string, LedgerDoc>, { effects }: Replay): Map<string, number> {
  const posted = new Map<string, number>();
  for (const [id, { type, holdId, sessionId }] of Object.entries(ledger)) {
    // The session of another entry is where something was bought with a hold, not whose hold it is.
    const hold = type === 'settlement' ? sessionId : holdId;
    if (hold !== undefined) posted.set(hold, (posted.get(hold) ?? 0) - (effects[id] ?? 0));
  }
  return posted;
}

function release(holdId: string, { amount, lots, postedDOFs, sessionId, createdAt }: HoldDoc): ResolvedHold {
  return { holdId, state: postedDOFs > 0 ? 'posted' : 'released', postedDOFs, releasedDOFs: amount, lots, sessionId, createdAt };
}

/** The hold that an open session lacks: as much of what the session believes to hold as is free. */
function heldAgain(sessionId: string, { heldDOFs, expiresAt, startedAt }: SessionDoc, lots: Lots, holds: Holds, { postedDOFs, at }: { postedDOFs: number; at: number }): HoldDoc {
  const { taken } = burn(lots, holds, Math.max(0, Math.floor(heldDOFs)), at);
  return { amount: sumOf(taken), lots: taken, postedDOFs, sessionId, expiresAt, createdAt: startedAt };
}

function heldPerLot(holds: Holds): Map<string, number> {
  const held = new Map<string, number>();
  for (const { grantId, amount } of Object.values(holds).flatMap(({ lots }) => lots)) held.set(grantId, (held.get(grantId) ?? 0) + amount);
  return held;
}

function pick(fields: Record<string, Value>, names: string[]): Value {
  return Object.fromEntries(names.map((name) => [name, fields[name]!]));
}
