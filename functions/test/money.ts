import assert from 'node:assert/strict';
import { Timestamp } from 'firebase-admin/firestore';
import type { AgentDoc } from '../src/agents/schema.ts';
import type { Balance, Entry } from '../src/credits/balance.ts';
import { freeOf, heldOf, sumOf } from '../src/credits/lots.ts';
import type { DofRates, HoldDoc, LotDoc } from '../src/credits/schema.ts';

/** The moment, in ms, at which tests about money take place. */
export const moment = 1_800_000_000_000;
export const at = (ms: number): Timestamp => Timestamp.fromMillis(ms);

/** A lot that never expires and has been there for a day. */
export function lot(remaining: number, parts: Partial<LotDoc> = {}): LotDoc {
  return { source: 'purchase', remaining, priority: 0, expiresAt: null, rollover: null, voided: false, createdAt: at(moment - 86_400_000), ...parts };
}

/** A hold of a service that has taken these amounts, by grant id in burn order. */
export function hold(taken: Record<string, number>, parts: Partial<HoldDoc> = {}): HoldDoc {
  const lots = Object.entries(taken).map(([grantId, amount]) => ({ grantId, amount }));
  return { amount: sumOf(lots), lots, postedDOFs: 0, sessionId: null, expiresAt: at(moment + 3_600_000), createdAt: at(moment), ...parts };
}

/** An agent whose balance follows from its lots, holds and debt. */
export function agent(parts: Partial<AgentDoc> = {}): AgentDoc {
  const { lots = {}, holds = {}, debtDOFs = 0 } = parts;
  const inLots = Object.values(lots).reduce((sum, { remaining }) => sum + remaining, 0);
  const heldDOFs = Object.values(holds).reduce((sum, { amount }) => sum + amount, 0);
  return {
    agentInstanceId: 'a1', ownerId: 'u1', agentProductId: 'p1', productVersion: 1, purchasedAt: at(moment - 86_400_000), customName: null,
    currentDOFs: inLots - debtDOFs, heldDOFs, debtDOFs, seq: 0, lots, holds, dueAt: null, alertThresholds: [], version: 1, ...parts,
  };
}

/** Rates at which nothing costs anything, except what is named. */
export function rates({ per1kTokens, frame, ...parts }: { [Rate in keyof DofRates]?: Partial<DofRates[Rate]> } = {}): DofRates {
  return {
    instruction: 0, audioSecond: 0, per1kSpokenCharacters: 0, ...parts as Partial<DofRates>,
    frame: { standard: 0, burst: 0, continuous: 0, ...frame },
    per1kTokens: { text: 0, image: 0, audio: 0, cached: 0, output: 0, reasoning: 0, ...per1kTokens },
  };
}

/** Checks that a balance agrees with itself and, where it began empty, with all of its ledger. */
export function assertBooks(balance: Balance, ledger?: Entry[]): void {
  const { currentDOFs, heldDOFs, debtDOFs, seq, lots, holds } = balance;
  assert.equal(currentDOFs, Object.values(lots).reduce((sum, { remaining }) => sum + remaining, 0) - debtDOFs, 'balance = lots - debt');
  assert.equal(heldDOFs, Object.values(holds).reduce((sum, { amount }) => sum + amount, 0), 'held = holds');
  for (const [holdId, { amount, lots: parts, postedDOFs }] of Object.entries(holds)) {
    assert.equal(amount, sumOf(parts), `hold ${holdId} = what it took`);
    assert.ok(parts.every((part) => part.amount > 0) && amount >= 0 && postedDOFs >= 0, `hold ${holdId} has nothing negative`);
    for (const part of parts) assert.ok(lots[part.grantId], `hold ${holdId} took from an open lot`);
  }
  for (const [grantId, { remaining }] of Object.entries(lots)) {
    assert.ok(remaining > 0 && heldOf(grantId, holds) <= remaining && freeOf(grantId, lots, holds) >= 0, `lot ${grantId}: held <= remaining`);
  }
  assert.ok(debtDOFs >= 0, 'debt is not negative');
  for (const amount of [currentDOFs, heldDOFs, debtDOFs, seq, ...Object.values(lots).map(({ remaining }) => remaining)]) assert.ok(Number.isSafeInteger(amount));
  if (ledger) assertLedger(balance, ledger);
}

function assertLedger({ currentDOFs, debtDOFs, seq, lots }: Balance, ledger: Entry[]): void {
  let reached = 0;
  const inLots = new Map<string, number>();
  ledger.forEach((entry, index) => {
    assert.equal(entry.amount, sumOf(entry.lots) - entry.debt, 'amount = lots - debt');
    reached += entry.amount;
    assert.deepEqual([entry.seq, entry.balanceAfter], [index + 1, reached], 'entries follow on each other');
    for (const { grantId, amount } of entry.lots) inLots.set(grantId, (inLots.get(grantId) ?? 0) + amount);
  });
  assert.deepEqual([reached, ledger.length], [currentDOFs, seq], 'balance = sum of the ledger');
  assert.equal(ledger.reduce((sum, { debt }) => sum + debt, 0), debtDOFs, 'debt = its entries');
  for (const [grantId, amount] of inLots) assert.equal(amount, lots[grantId]?.remaining ?? 0, `lot ${grantId} = its entries`);
  assert.equal(new Set(ledger.map(({ operationId }) => operationId)).size, ledger.length, 'no operation is entered twice');
}
