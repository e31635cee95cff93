import type { Lots } from '../credits/lots.ts';
import type { GrantDoc, LedgerDoc, LotDoc } from '../credits/schema.ts';
import { pathsOf, sameMoment, shown, type AgentFacts, type Drift, type DriftKind, type Paths, type Value } from './facts.ts';
import type { Replay } from './ledger.ts';

/** The lots as they should be, as far as the ledger can be trusted, and how those of the agent document differ. */
export interface ExaminedLots {
  drifts: Drift[];
  lots: Lots;
}

/** Compares the lots of the agent document with what the ledger left of them and with the terms of their grants. */
export function examineLots(facts: AgentFacts, replay: Replay): ExaminedLots {
  const { agent, grants } = facts;
  if (!replay.sound) return { drifts: [], lots: agent.lots };
  const paths = pathsOf(facts);
  const drifts: Drift[] = [];
  const lots: Lots = {};
  const report = (kind: DriftKind, grantId: string, expected: Value, found: Value, repairable = true): void => {
    drifts.push({ kind, documents: [paths.agent, paths.grant(grantId)], expected: { lot: grantId, is: expected }, found: { lot: grantId, is: found }, repairable });
  };
  const voided = voidedLots(facts.ledger);
  for (const grantId of new Set([...Object.keys(replay.lots), ...Object.keys(agent.lots)])) {
    const lot = agent.lots[grantId];
    const grant = grants[grantId];
    const remaining = replay.lots[grantId] ?? 0;
    const right = remaining > 0 ? restored(lot, grant, remaining, { voided: voided.has(grantId), rolledOver: `rollover-${grantId}` in grants }) : null;
    if (right) lots[grantId] = right;
    // A lot of an unknown grant that is not there either cannot be written.
    if ((lot?.remaining ?? null) !== (remaining || null)) report('lot.remaining', grantId, remaining || null, lot?.remaining ?? null, right !== null || remaining === 0);
    if (!lot || !right) continue;
    if (!sameTerms(lot, right)) report('lot.terms', grantId, termsOf(right), termsOf(lot));
    if (lot.voided !== right.voided) report('lot.voided', grantId, true, false);
  }
  return { drifts, lots };
}

/** Compares grants with the ledger entries that opened their lots. What is wrong here stays: neither is a projection. */
export function examineGrants({ grants, ledger }: AgentFacts, paths: Paths, { effects, whole }: Replay): Drift[] {
  const drifts: Drift[] = [];
  const report = (kind: DriftKind, documents: string[], expected: Value, found: Value): void => {
    drifts.push({ kind, documents, expected, found, repairable: false });
  };
  const openings = new Map<string, string[]>();
  for (const [id, entry] of Object.entries(ledger)) {
    const grantId = entry.type === 'grant' || effects[id]! > 0 ? openedBy(entry, grants) : undefined;
    if (grantId !== undefined) openings.set(grantId, [...openings.get(grantId) ?? [], id]);
  }
  for (const [grantId, ids] of openings) {
    const grant = grants[grantId];
    const documents = [paths.grant(grantId), ...ids.map(paths.entry)];
    const amount = effects[ids[0]!]!;
    if (ids.length > 1) report('grant.openedTwice', documents, 1, ids.length);
    else if (!grant) report('grant.recordMissing', documents, { amount }, null);
    else if (grant.amount !== amount) report('grant.record', documents, { amount }, { amount: grant.amount });
  }
  for (const [id, grant] of Object.entries(grants)) {
    if (grant.grantId !== id) report('grant.record', [paths.grant(id)], { grantId: id }, { grantId: grant.grantId });
    if (whole && !openings.has(id)) report('grant.entryMissing', [paths.grant(id), paths.ledger], { amount: grant.amount }, null);
  }
  return drifts;
}

/** The grant whose lot an entry opens: the one that it names, or the one that gains, whichever there is. */
function openedBy({ grantId, lots }: LedgerDoc, grants: Record<string, GrantDoc>): string | undefined {
  const named = [grantId, lots[0]?.grantId].filter((id) => id !== undefined);
  return named.find((id) => grants[id]) ?? named[0];
}

/** A lot with what the ledger left of it and the terms of its grant; null when neither lot nor grant is known. */
function restored(lot: LotDoc | undefined, grant: GrantDoc | undefined, remaining: number, { voided, rolledOver }: { voided: boolean; rolledOver: boolean }): LotDoc | null {
  if (!grant) return lot ? { ...lot, remaining, voided: lot.voided || voided } : null;
  const { source, priority, expiresAt, rollover, createdAt } = grant;
  return { source, remaining, priority, expiresAt, rollover: rolledOver ? null : rollover, voided: (lot?.voided ?? false) || voided, createdAt: lot?.createdAt ?? createdAt };
}

/** Lots that have a `void` entry. One whose DOFs were all held when it was voided has none yet. */
function voidedLots(ledger: Record<string, LedgerDoc>): Set<string | undefined> {
  return new Set(Object.values(ledger).filter(({ type }) => type === 'void').map(({ grantId }) => grantId));
}

type Terms = Pick<LotDoc, 'source' | 'priority' | 'expiresAt' | 'rollover'>;

function sameTerms(one: Terms, other: Terms): boolean {
  return one.source === other.source && one.priority === other.priority && sameMoment(one.expiresAt, other.expiresAt)
    && one.rollover?.maxDOFs === other.rollover?.maxDOFs && one.rollover?.days === other.rollover?.days;
}

function termsOf({ source, priority, expiresAt, rollover }: Terms): Value {
  return { source, priority, expiresAt: shown(expiresAt), rollover: rollover && { maxDOFs: rollover.maxDOFs, days: rollover.days } };
}
