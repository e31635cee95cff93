import { sumOf } from '../credits/lots.ts';
import type { EntryType, LedgerDoc } from '../credits/schema.ts';
import type { Drift, DriftKind, Paths, Value } from './facts.ts';

/** What the ledger adds up to. */
export interface Replay {
  drifts: Drift[];
  /** Nothing is wrong with the ledger itself, so that what is projected from it can be judged. */
  sound: boolean;
  /** Every entry could be read. */
  whole: boolean;
  currentDOFs: number;
  debtDOFs: number;
  /** Number of entries. */
  seq: number;
  /** DOFs left in each lot; one with nothing left is not there. */
  lots: Record<string, number>;
  /** What each entry changed the balance by, as far as that can be told. */
  effects: Record<string, number>;
}

/** Checks the ledger's own arithmetic and adds it up. `whole`: every entry could be read. */
export function replayLedger(ledger: Record<string, LedgerDoc>, paths: Paths, whole: boolean): Replay {
  const drifts: Drift[] = [];
  const report = (kind: DriftKind, id: string, expected: Value, found: Value): void => {
    drifts.push({ kind, documents: [paths.entry(id)], expected, found, repairable: false });
  };
  const entries = Object.entries(ledger).sort(([idA, a], [idB, b]) => a.seq - b.seq || (idA < idB ? -1 : 1));
  const numbers = new Map<number, 'once' | 'twice'>();
  for (const [, { seq }] of entries) numbers.set(seq, numbers.has(seq) ? 'twice' : 'once');
  const effects: Record<string, number> = {};
  let balance = 0;
  for (const [index, [id, entry]] of entries.entries()) {
    const { amount, balanceAfter, lots, debt, operationId, correctsEntryId } = entry;
    if (operationId !== id) report('entry.id', id, id, operationId);
    if (correctsEntryId !== undefined && !Object.hasOwn(ledger, correctsEntryId)) report('entry.corrects', id, correctsEntryId, null);
    const before = index === 0 ? 0 : entries[index - 1]![1].seq;
    const follows = entry.seq === before + 1 && numbers.get(before) !== 'twice' && numbers.get(entry.seq) !== 'twice';
    const sum = sumOf(lots) - debt;
    const adds = amount === sum && [...lots.map((lot) => lot.amount), debt].every(Number.isSafeInteger);
    if (!adds) report('entry.amount', id, amount === sum ? 'whole DOFs' : sum, amount);
    else if (!fitsType(entry)) report('entry.form', id, forms[entry.type], formOf(entry));
    if (adds && follows && balanceAfter !== balance + amount) report('entry.balanceAfter', id, balance + amount, balanceAfter);
    // When amount and parts disagree, the balance tells which of them is right; where the chain is broken, it goes on from there.
    effects[id] = !adds && follows && balanceAfter === balance + sum ? sum : amount;
    balance = adds && follows ? balance + amount : balanceAfter;
  }
  const wanted = entries.map((_, index) => index + 1);
  if (whole && entries.some(([, { seq }], index) => seq !== index + 1)) {
    const twice = entries.filter(([, { seq }]) => numbers.get(seq) === 'twice');
    drifts.push({ kind: 'ledger.seq', documents: [paths.ledger, ...twice.map(([id]) => paths.entry(id))], expected: `1 to ${entries.length}`,
      found: { missing: wanted.filter((seq) => !numbers.has(seq)), beyond: [...numbers.keys()].filter((seq) => !Number.isInteger(seq) || seq < 1 || seq > entries.length), repeated: twice.map(([, { seq }]) => seq) }, repairable: false });
  }
  const summed = addUp(entries, drifts.length === 0 && whole ? report : () => undefined);
  return { drifts, whole, sound: drifts.length === 0 && whole, currentDOFs: balance, seq: entries.length, effects, ...summed };
}

/** Adds up lots and debt in the order of the ledger; neither may ever be below zero. */
function addUp(entries: [string, LedgerDoc][], report: (kind: DriftKind, id: string, expected: Value, found: Value) => void): Pick<Replay, 'lots' | 'debtDOFs'> {
  const left = new Map<string, number>();
  let debtDOFs = 0;
  for (const [id, { lots, debt }] of entries) {
    for (const { grantId, amount } of lots) {
      const remaining = (left.get(grantId) ?? 0) + amount;
      left.set(grantId, remaining);
      if (remaining < 0 && remaining - amount >= 0) report('entry.belowZero', id, 0, { lot: grantId, remaining });
    }
    debtDOFs += debt;
    if (debtDOFs < 0 && debtDOFs - debt >= 0) report('entry.belowZero', id, 0, { debtDOFs });
  }
  return { debtDOFs, lots: Object.fromEntries([...left].filter(([, remaining]) => remaining !== 0)) };
}

/** What the entries of each type look like. */
const forms: Record<EntryType, string> = {
  grant: 'one lot, that of grantId, gains; no debt',
  settlement: 'lots lose, debt may rise; operationId begins with settle- and sessionId, which is the holdId too',
  post: 'lots lose, debt may rise; operationId is post- and holdId',
  void: 'one lot, that of grantId, loses; no debt',
  expiry: 'one lot, that of grantId, loses; no debt',
  adjustment: 'one lot, that of grantId, gains, or lots lose; no debt',
  repayment: 'lots lose as much as the debt falls',
};

function fitsType({ type, lots, debt, grantId, sessionId, holdId, operationId }: LedgerDoc): boolean {
  const [first] = lots;
  const gains = lots.length === 1 && first!.amount >= 0 && first!.grantId === grantId && debt === 0;
  const loses = lots.every(({ amount }) => amount < 0);
  switch (type) {
    case 'grant': return gains;
    case 'settlement': return loses && debt >= 0 && sessionId !== undefined && (holdId ?? sessionId) === sessionId && operationId.startsWith(`settle-${sessionId}-`);
    case 'post': return loses && debt >= 0 && holdId !== undefined && operationId === `post-${holdId}`;
    case 'void':
    case 'expiry': return loses && lots.length === 1 && first!.grantId === grantId && debt === 0;
    case 'adjustment': return gains || (loses && lots.length > 0 && debt === 0);
    case 'repayment': return loses && lots.length > 0 && sumOf(lots) === debt;
  }
}

function formOf({ type, lots, debt, grantId, sessionId, holdId, operationId }: LedgerDoc): Value {
  const parts = lots.map((part) => ({ lot: part.grantId, amount: part.amount }));
  return { type, lots: parts, debt, grantId: grantId ?? null, sessionId: sessionId ?? null, holdId: holdId ?? null, operationId };
}
