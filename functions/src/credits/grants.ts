import { AppError } from '../runtime/errors.ts';
import type { Draft, EntryAbout } from './balance.ts';
import { burn, freeOf, isUsable, negative } from './lots.ts';
import type { LotDoc } from './schema.ts';

/** Most open lots of one agent: keeps its document small. */
export const maxOpenLots = 200;

/** Who changes a balance from outside, and why; kept with the entry. */
export type Because = Required<Pick<EntryAbout, 'reason' | 'actor'>>;

/**
 * Opens a lot. Debt is repaid from it at once, by the entry that `change` adds.
 * @throws AppError `failed-precondition` (too_many_lots), `invalid-argument` for an expiry that has passed.
 */
export function grantLot(draft: Draft, grantId: string, amount: number, lot: Omit<LotDoc, 'remaining' | 'voided'>, about: EntryAbout, now: number): void {
  if (lot.expiresAt !== null && lot.expiresAt.toMillis() <= now) throw new AppError('invalid-argument', 'expiresAt must be in the future.', { reason: 'bad_input' });
  if (Object.keys(draft.lots).length >= maxOpenLots) {
    throw new AppError('failed-precondition', `This agent has ${maxOpenLots} open grants. Void or spend some first.`, { reason: 'too_many_lots' });
  }
  draft.open(grantId, { ...lot, voided: false });
  draft.enter({ ...about, grantId }, [{ grantId, amount }]);
}

/**
 * Voids what is left of a lot: the free part now; what holds have taken goes when they give it back.
 * @returns the DOFs voided now.
 * @throws AppError `failed-precondition` (grant_closed) when nothing is left, it is void or has expired.
 */
export function voidLot(draft: Draft, grantId: string, because: Because, now: number): number {
  const lot = Object.hasOwn(draft.lots, grantId) ? draft.lots[grantId] : undefined;
  if (!lot || !isUsable(lot, now)) throw new AppError('failed-precondition', 'Nothing is left of this grant: it is used up, expired or void.', { reason: 'grant_closed' });
  const free = freeOf(grantId, draft.lots, draft.holds);
  if (free > 0) draft.enter({ type: 'void', operationId: `void-${grantId}-${lot.remaining}`, grantId, ...because }, [{ grantId, amount: -free }]);
  lot.voided = true;
  return free;
}

/** Where DOFs go that an expired lot passes on. */
export interface RolledOver {
  grantId: string;
  from: string;
  amount: number;
  lot: Omit<LotDoc, 'remaining'>;
}

/**
 * Takes out the free part of every lot that has expired, and opens the lots that they roll over into.
 * `after` gives the moment some days after another one.
 */
export function lapseLots(draft: Draft, now: number, after: (moment: NonNullable<LotDoc['expiresAt']>, days: number) => NonNullable<LotDoc['expiresAt']>): RolledOver[] {
  const rolled: RolledOver[] = [];
  for (const [grantId, lot] of Object.entries(draft.lots)) {
    const free = freeOf(grantId, draft.lots, draft.holds);
    if (free === 0 || lot.voided || isUsable(lot, now)) continue;
    draft.enter({ type: 'expiry', operationId: `expiry-${grantId}-${lot.remaining}`, grantId, actor: 'system', reason: 'expired' }, [{ grantId, amount: -free }]);
    const next = rollOver(grantId, lot, free, after);
    if (!next) continue;
    draft.open(next.grantId, next.lot);
    draft.enter({ type: 'grant', operationId: next.grantId, grantId: next.grantId, actor: 'system', reason: `rolled over from ${grantId}` }, [{ grantId: next.grantId, amount: next.amount }]);
    rolled.push(next);
  }
  return rolled;
}

/** Rolls over once for the whole lot: what a late release gives back afterwards expires. */
function rollOver(grantId: string, lot: LotDoc, free: number, after: Parameters<typeof lapseLots>[2]): RolledOver | null {
  const { rollover, expiresAt, source, priority } = lot;
  if (!rollover || !expiresAt) return null;
  lot.rollover = null;
  const amount = Math.min(free, rollover.maxDOFs);
  return { grantId: `rollover-${grantId}`, from: grantId, amount, lot: { source, priority, expiresAt: after(expiresAt, rollover.days), rollover: null, voided: false, createdAt: expiresAt } };
}

/**
 * Takes DOFs away that no hold has taken: from the lots that are named first, then in burn order.
 * @throws AppError `resource-exhausted` (insufficient_dofs) when that much is not available.
 */
export function debit(draft: Draft, amount: number, about: EntryAbout, now: number, first: string[] = []): void {
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new Error(`cannot debit ${amount}`);
  const named = Object.fromEntries(first.flatMap((grantId) => (Object.hasOwn(draft.lots, grantId) ? [[grantId, draft.lots[grantId]!]] : [])));
  const fromNamed = burn(named, draft.holds, amount, now);
  const others = Object.fromEntries(Object.entries(draft.lots).filter(([grantId]) => !Object.hasOwn(named, grantId)));
  const { taken, uncovered } = burn(others, draft.holds, fromNamed.uncovered, now);
  if (uncovered > 0) {
    throw new AppError('resource-exhausted', `This agent has ${amount - uncovered} DOFs available; nothing was taken.`, { reason: 'insufficient_dofs', availableDOFs: amount - uncovered, neededDOFs: amount });
  }
  draft.enter(about, negative([...fromNamed.taken, ...taken]));
}
