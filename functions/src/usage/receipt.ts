import type { GrantSource, LedgerDoc, LotAmount, UsageLine } from '../credits/schema.ts';
import type { VoiceTokenDoc } from '../voice/schema.ts';
import type { ReceiptLine, ReceiptVoiceToken } from './schema.ts';

/** A stretch of a session's DOFs that one lot paid in one ledger entry; `grantId` is null for what became a debt. */
export interface PaidStretch {
  from: number;
  to: number;
  grantId: string | null;
  entryId: string;
}

/** What the parts of a ledger entry say about the price of a session. */
export type SettlementEntry = Pick<LedgerDoc, 'type' | 'operationId' | 'amount' | 'lots' | 'debt'>;

/**
 * Who paid which DOFs of a session, by its ledger entries: `settle-{sessionId}-{total}` paid the last `-amount` DOFs up
 * to `total`, its lots one after the other, then the debt. Entries beyond `settledDOFs` are left out: they are newer
 * than the session as it was read.
 */
export function paidStretches(sessionId: string, entries: SettlementEntry[], settledDOFs: number): PaidStretch[] {
  const prefix = `settle-${sessionId}-`;
  return entries.flatMap((entry) => {
    const total = entry.operationId.startsWith(prefix) ? Number(entry.operationId.slice(prefix.length)) : NaN;
    return entry.type === 'settlement' && total <= settledDOFs ? stretchesOf(entry, total) : [];
  }).sort((a, b) => a.from - b.from);
}

function stretchesOf({ operationId: entryId, amount, lots, debt }: SettlementEntry, total: number): PaidStretch[] {
  const parts = [...lots.map((lot) => ({ grantId: lot.grantId, amount: -lot.amount })), { grantId: null, amount: debt }];
  let from = total + amount;
  return parts.flatMap((part) => {
    const stretch = { from, to: from + part.amount, grantId: part.grantId, entryId };
    from = stretch.to;
    return part.amount > 0 ? [stretch] : [];
  });
}

/** Who paid a line. */
export interface Payment {
  lots: LotAmount[];
  debtDOFs: number;
  entryIds: string[];
}

/** Who paid the DOFs of a line: the stretches that lie under it. What has not been settled yet, nobody has paid. */
export function paymentOf({ from, to }: Pick<UsageLine, 'from' | 'to'>, stretches: PaidStretch[]): Payment {
  const payment: Payment = { lots: [], debtDOFs: 0, entryIds: [] };
  for (const { grantId, entryId, ...stretch } of stretches) {
    const amount = Math.min(to, stretch.to) - Math.max(from, stretch.from);
    if (amount <= 0) continue;
    if (!payment.entryIds.includes(entryId)) payment.entryIds.push(entryId);
    const known = payment.lots.find((lot) => lot.grantId === grantId);
    if (grantId === null) payment.debtDOFs += amount;
    else if (known) known.amount += amount;
    else payment.lots.push({ grantId, amount });
  }
  return payment;
}

/** A line as the receipt shows it. */
export function toReceiptLine(line: UsageLine, payment: Payment, settledDOFs: number, sources: ReadonlyMap<string, GrantSource>): ReceiptLine {
  const { requestId, turnId, at, from, to, input, provider, model, usage, outcome, estimated, by } = line;
  return {
    requestId: requestId === '' ? null : requestId,
    turnId: turnId === '' ? null : turnId,
    memberId: by ?? null,
    at: new Date(at).toISOString(),
    frame: input.frame as ReceiptLine['frame'],
    instruction: input.instruction,
    audioSeconds: input.audioSeconds,
    provider: provider as ReceiptLine['provider'],
    model,
    usage,
    outcome: outcome as ReceiptLine['outcome'],
    estimated,
    costDOFs: to - from,
    fromDOFs: from,
    toDOFs: to,
    settled: to <= settledDOFs,
    ...payment,
    lots: payment.lots.map(({ grantId, amount }) => ({ grantId, source: sources.get(grantId) ?? null, amount })),
  };
}

/** A voice token as the receipt shows it; `entries` are the ledger entries of its session. */
export function toReceiptVoiceToken({ requestId, provider, model, voice, minutes, heldDOFs, holdId, startedAt, mintedAt, expiresAt }: VoiceTokenDoc, entries: SettlementEntry[]): ReceiptVoiceToken {
  return {
    requestId, provider, model, voice, minutes,
    mintedAt: (mintedAt ?? startedAt).toDate().toISOString(),
    expiresAt: expiresAt.toDate().toISOString(),
    costDOFs: heldDOFs,
    entryId: entries.find(({ operationId }) => operationId === `post-${holdId}`)?.operationId ?? null,
  };
}
