import type { LotDebit } from './schema.ts';

/** A lot as burning sees it; times in ms since the epoch. */
export interface Lot {
  grantId: string;
  remaining: number;
  priority: number;
  expiresAt: number | null;
  createdAt: number;
}

/** Which lots an amount comes from, and what no lot could cover. */
export interface Burn {
  debits: LotDebit[];
  uncovered: number;
}

/** Takes `amount` DOFs from the lots in burn order: priority, then soonest expiry, then age (DESIGN: lots). */
export function burn(lots: Lot[], amount: number): Burn {
  const debits: LotDebit[] = [];
  let uncovered = amount;
  for (const lot of [...lots].sort(burnOrder)) {
    if (uncovered === 0) break;
    const taken = Math.min(lot.remaining, uncovered);
    if (taken <= 0) continue;
    debits.push({ grantId: lot.grantId, amount: taken });
    uncovered -= taken;
  }
  return { debits, uncovered };
}

function burnOrder(a: Lot, b: Lot): number {
  return a.priority - b.priority
    || compare(a.expiresAt ?? Infinity, b.expiresAt ?? Infinity)
    || a.createdAt - b.createdAt
    || (a.grantId < b.grantId ? -1 : 1);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
