import type { HoldDoc, LotAmount, LotDoc } from './schema.ts';

/** Open lots by grant id, as the agent document keeps them. */
export type Lots = Record<string, LotDoc>;
/** Pending holds by hold id, as the agent document keeps them. */
export type Holds = Record<string, HoldDoc>;

/** Which lots an amount comes from, and what no lot could cover. */
export interface Burn {
  taken: LotAmount[];
  uncovered: number;
}

/** DOFs that pending holds have taken from a lot. */
export function heldOf(grantId: string, holds: Holds): number {
  return sumOf(Object.values(holds).flatMap(({ lots }) => lots).filter((lot) => lot.grantId === grantId));
}

/** DOFs of a lot that no hold has taken. */
export function freeOf(grantId: string, lots: Lots, holds: Holds): number {
  return (lots[grantId]?.remaining ?? 0) - heldOf(grantId, holds);
}

/** Whether something new may be taken from a lot at `now` (ms). */
export function isUsable(lot: LotDoc, now: number): boolean {
  return !lot.voided && (lot.expiresAt === null || lot.expiresAt.toMillis() > now);
}

/** DOFs that a new hold or debit can take at `now` (ms). */
export function availableIn(lots: Lots, holds: Holds, now: number): number {
  return Object.keys(lots).reduce((sum, grantId) => sum + (isUsable(lots[grantId]!, now) ? freeOf(grantId, lots, holds) : 0), 0);
}

/** Finds `amount` DOFs that no hold has taken, in burn order: priority, then soonest expiry, then age. */
export function burn(lots: Lots, holds: Holds, amount: number, now: number): Burn {
  const taken: LotAmount[] = [];
  let uncovered = amount;
  for (const [grantId] of Object.entries(lots).filter(([, lot]) => isUsable(lot, now)).sort(burnOrder)) {
    const part = Math.min(freeOf(grantId, lots, holds), uncovered);
    if (part <= 0) continue;
    taken.push({ grantId, amount: part });
    uncovered -= part;
  }
  return { taken, uncovered };
}

/** Sum of amounts. */
export function sumOf(amounts: LotAmount[]): number {
  return amounts.reduce((sum, { amount }) => sum + amount, 0);
}

/** The same amounts with the other sign. */
export function negative(amounts: LotAmount[]): LotAmount[] {
  return amounts.map(({ grantId, amount }) => ({ grantId, amount: -amount }));
}

function burnOrder([idA, a]: [string, LotDoc], [idB, b]: [string, LotDoc]): number {
  return a.priority - b.priority
    || compare(a.expiresAt?.toMillis() ?? Infinity, b.expiresAt?.toMillis() ?? Infinity)
    || a.createdAt.toMillis() - b.createdAt.toMillis()
    || (idA < idB ? -1 : 1);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
