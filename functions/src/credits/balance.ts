import type { Timestamp } from 'firebase-admin/firestore';
import type { AgentDoc } from '../agents/schema.ts';
import { burn, freeOf, negative, sumOf, type Holds, type Lots } from './lots.ts';
import type { LedgerDoc, LotAmount, LotDoc } from './schema.ts';

/** The money of an agent: the part of its document that only the rules of this folder change. */
export type Balance = Pick<AgentDoc, 'currentDOFs' | 'heldDOFs' | 'debtDOFs' | 'seq' | 'lots' | 'holds' | 'dueAt'>;

/** A ledger entry that is about to be created under its `operationId`. */
export type Entry = Omit<LedgerDoc, 'createdAt'>;

/** What an entry is about, beside its amounts. */
export type EntryAbout = Pick<Entry, 'type' | 'operationId' | 'sessionId' | 'holdId' | 'grantId' | 'correctsEntryId' | 'reason' | 'actor'>;

/** A balance after a change, with the ledger entries that explain it. */
export interface Change {
  before: Balance;
  balance: Balance;
  entries: Entry[];
}

/** A balance while it is being changed. All amounts pass through `enter`, so that entries, lots, debt and balance cannot disagree. */
export class Draft {
  readonly lots: Lots;
  readonly holds: Holds;
  readonly entries: Entry[] = [];
  currentDOFs: number;
  debtDOFs: number;
  private seq: number;

  constructor({ lots, holds, currentDOFs, debtDOFs, seq }: Balance) {
    this.lots = mapValues(lots, (lot) => ({ ...lot }));
    this.holds = mapValues(holds, (hold) => ({ ...hold, lots: hold.lots.map((part) => ({ ...part })) }));
    this.currentDOFs = currentDOFs;
    this.debtDOFs = debtDOFs;
    this.seq = seq;
  }

  /** Adds a lot without DOFs; an entry brings them. */
  open(grantId: string, lot: Omit<LotDoc, 'remaining'>): void {
    if (Object.hasOwn(this.lots, grantId)) throw new Error(`lot ${grantId} is open already`);
    this.lots[grantId] = { ...lot, remaining: 0 };
  }

  /** Enters amounts in the ledger, the lots and the debt. Fails closed: no lot and no debt can go below zero. */
  enter(about: EntryAbout, lots: LotAmount[], debt = 0): void {
    for (const { grantId, amount } of lots) {
      const lot = Object.hasOwn(this.lots, grantId) ? this.lots[grantId] : undefined;
      if (!lot || !Number.isSafeInteger(amount) || lot.remaining + amount < 0) throw new Error(`lot ${grantId} cannot change by ${amount}`);
      lot.remaining += amount;
    }
    if (!Number.isSafeInteger(debt) || this.debtDOFs + debt < 0) throw new Error(`the debt cannot change by ${debt}`);
    const amount = sumOf(lots) - debt;
    this.debtDOFs += debt;
    this.currentDOFs += amount;
    this.seq += 1;
    this.entries.push({ ...about, amount, balanceAfter: this.currentDOFs, lots, debt, seq: this.seq });
  }

  /** The balance, after void lots have lost what holds gave back to them, and what is owed has been repaid from whatever is free. */
  finish(now: number): Balance {
    for (const [grantId, { voided, remaining }] of Object.entries(this.lots)) {
      const free = freeOf(grantId, this.lots, this.holds);
      if (voided && free > 0) this.enter({ type: 'void', operationId: `void-${grantId}-${remaining}`, grantId, actor: 'system', reason: 'given back to a void grant' }, [{ grantId, amount: -free }]);
    }
    const { taken } = burn(this.lots, this.holds, this.debtDOFs, now);
    if (taken.length > 0) this.enter({ type: 'repayment', operationId: `repay-${this.seq + 1}` }, negative(taken), -sumOf(taken));
    const lots = Object.fromEntries(Object.entries(this.lots).filter(([, { remaining }]) => remaining > 0));
    const heldDOFs = Object.values(this.holds).reduce((sum, { amount }) => sum + amount, 0);
    const { holds, currentDOFs, debtDOFs, seq } = this;
    return { currentDOFs, heldDOFs, debtDOFs, seq, lots, holds, dueAt: dueAtOf(lots, holds) };
  }
}

/** Changes a balance as one step; the balance that came in stays as it is. `now` in ms. */
export function change(before: Balance, now: number, act: (draft: Draft) => void): Change {
  const draft = new Draft(before);
  act(draft);
  const balance = draft.finish(now);
  return { before, balance, entries: draft.entries };
}

/** When the sweep must look at a balance: the first expiry of a lot that has something free, or of a hold. */
export function dueAtOf(lots: Lots, holds: Holds): Timestamp | null {
  const closing = Object.entries(lots).filter(([grantId]) => freeOf(grantId, lots, holds) > 0)
    .flatMap(([, lot]) => (lot.voided ? [lot.createdAt] : lot.expiresAt ? [lot.expiresAt] : []));
  const moments = [...closing, ...Object.values(holds).map(({ expiresAt }) => expiresAt)];
  return moments.reduce<Timestamp | null>((first, moment) => (first === null || moment.toMillis() < first.toMillis() ? moment : first), null);
}

function mapValues<T>(values: Record<string, T>, map: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
