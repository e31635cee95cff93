import { AppError } from '../runtime/errors.ts';
import type { Draft, EntryAbout } from './balance.ts';
import { availableIn, burn, negative } from './lots.ts';
import type { HoldDoc, LotAmount, ResolvedHoldDoc } from './schema.ts';

/** A hold as it is placed or resolved, without the moment, which the store adds. */
export type ResolvedHold = Omit<ResolvedHoldDoc, 'resolvedAt'>;

/** Most pending holds of one agent: with its lots they keep its document small. */
export const maxPendingHolds = 50;

/** What identifies and dates a new hold. */
export type NewHold = Pick<HoldDoc, 'sessionId' | 'expiresAt' | 'createdAt' | 'originSessionId'>;

/**
 * First phase: sets `amount` DOFs aside, in burn order.
 * @throws AppError `resource-exhausted` (insufficient_dofs) when that much is not available, `failed-precondition`
 *   (too_many_holds).
 */
export function placeHold(draft: Draft, holdId: string, amount: number, hold: NewHold, now: number): void {
  if (draft.holds[holdId]) throw new Error(`hold ${holdId} is pending already`);
  if (Object.keys(draft.holds).length >= maxPendingHolds) {
    throw new AppError('failed-precondition', `This agent has ${maxPendingHolds} pending holds. Post or release some first.`, { reason: 'too_many_holds' });
  }
  const lots = take(draft, amount, now);
  draft.holds[holdId] = { ...hold, amount, lots, postedDOFs: 0 };
}

/** Adds `amount` DOFs to a pending hold, from the lots that are next in burn order. Errors as placeHold. */
export function extendHold(draft: Draft, holdId: string, amount: number, now: number): void {
  const hold = pending(draft, holdId);
  const more = take(draft, amount, now);
  hold.lots = merge(hold.lots, more);
  hold.amount += amount;
}

/**
 * Second phase, in part or whole: turns up to the held DOFs into a debit of the lots they were taken from. Usage
 * beyond the hold was consumed all the same: it is taken from what is free, and is a debt when nothing is. A hold that
 * is gone leaves everything to that.
 */
export function postHold(draft: Draft, holdId: string, amount: number, about: EntryAbout, now: number): void {
  if (amount === 0) return;
  const hold = draft.holds[holdId];
  if (!Number.isSafeInteger(amount) || amount < 0) throw new Error(`hold ${holdId} cannot change by ${amount}`);
  const held = Math.min(amount, hold?.amount ?? 0);
  // Found while the hold is still whole: what it gives up is not free, it is posted.
  const { taken, uncovered } = burn(draft.lots, draft.holds, amount - held, now);
  const own = hold ? unhold(hold, held) : [];
  if (hold) hold.postedDOFs += amount;
  draft.enter({ ...about, holdId }, negative(merge(own, taken)), uncovered);
}

/** Resolves a hold: what is left of it goes back to exactly the lots it was taken from. */
export function resolveHold(draft: Draft, holdId: string, state: ResolvedHold['state']): ResolvedHold {
  const { amount, lots, postedDOFs, sessionId, createdAt } = pending(draft, holdId);
  delete draft.holds[holdId];
  return { holdId, state, postedDOFs, releasedDOFs: amount, lots, sessionId, createdAt };
}

/** Makes a pending hold one that is posted in full when it expires: what it pays for has been handed out. */
export function prepayHold(draft: Draft, holdId: string): void {
  pending(draft, holdId).onExpiry = 'post';
}

/** Resolves a hold whose time is over: one that pays in advance is posted in full, others are released. */
export function expireHold(draft: Draft, holdId: string, now: number): ResolvedHold {
  const { amount, onExpiry, originSessionId } = pending(draft, holdId);
  if (onExpiry !== 'post') return resolveHold(draft, holdId, 'expired');
  const session = originSessionId === undefined ? {} : { sessionId: originSessionId };
  postHold(draft, holdId, amount, { type: 'post', operationId: `post-${holdId}`, ...session, actor: 'system', reason: 'paid in advance' }, now);
  return resolveHold(draft, holdId, 'posted');
}

function take(draft: Draft, amount: number, now: number): LotAmount[] {
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new Error(`a hold cannot take ${amount}`);
  const { taken, uncovered } = burn(draft.lots, draft.holds, amount, now);
  if (uncovered === 0) return taken;
  const available = availableIn(draft.lots, draft.holds, now);
  throw new AppError('resource-exhausted', `This agent has ${available} DOFs available. Top it up, or ask for less.`, { reason: 'insufficient_dofs', availableDOFs: available, neededDOFs: amount });
}

/** Takes an amount out of a hold, in the order in which it was taken from the lots. */
function unhold(hold: HoldDoc, amount: number): LotAmount[] {
  const parts: LotAmount[] = [];
  let left = amount;
  for (const part of hold.lots) {
    const amountOfPart = Math.min(part.amount, left);
    if (amountOfPart > 0) parts.push({ grantId: part.grantId, amount: amountOfPart });
    part.amount -= amountOfPart;
    left -= amountOfPart;
  }
  hold.lots = hold.lots.filter((part) => part.amount > 0);
  hold.amount -= amount;
  return parts;
}

function merge(first: LotAmount[], second: LotAmount[]): LotAmount[] {
  const merged = first.map((part) => ({ ...part }));
  for (const { grantId, amount } of second) {
    const known = merged.find((part) => part.grantId === grantId);
    if (known) known.amount += amount;
    else merged.push({ grantId, amount });
  }
  return merged;
}

function pending(draft: Draft, holdId: string): HoldDoc {
  const hold = draft.holds[holdId];
  if (!hold) throw new Error(`hold ${holdId} is not pending`);
  return hold;
}
