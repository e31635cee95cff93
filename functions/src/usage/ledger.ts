import type { z } from 'zod';
import type { LedgerDoc } from '../credits/schema.ts';
import type { ledgerEntryView } from './schema.ts';

/** A ledger entry as a client sees it; who made it is for administrators. */
export function toEntryView({ operationId, debt, actor, createdAt, ...entry }: LedgerDoc, admin: boolean): z.input<typeof ledgerEntryView> {
  return { ...entry, entryId: operationId, debtDOFs: debt, createdAt: createdAt.toDate().toISOString(), ...(admin && actor !== undefined ? { actor } : {}) };
}
