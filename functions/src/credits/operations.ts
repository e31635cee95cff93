import { createHash } from 'node:crypto';
import { z } from 'zod';
import { accountIdSchema, idSchema, momentSchema } from '../runtime/schema.ts';
import { grantSources } from './schema.ts';

/** Most DOFs that one operation moves. */
const mostDOFs = 1_000_000_000;

/** An amount of an administrator's operation: whole DOFs, at least one. */
const amountSchema = z.int().positive().max(mostDOFs);

/** Names an operation for ever, such as the id of a payment: the same key is carried out once. */
const idempotencyKey = idSchema.max(40).describe('Names the operation, such as the id of a payment: repeating it with the same body returns the first result, with another body it is a conflict. At most 40 characters.');
const reason = z.string().trim().min(1).max(200).regex(/^\P{Cc}*$/u, 'must not contain control characters').describe('Why; kept in the ledger with the account of the administrator.');
const target = { userId: accountIdSchema, agentInstanceId: idSchema };

/** What every operation on a balance answers. */
const outcome = {
  entryId: z.string().nullable().describe('The ledger entry; null when nothing moved.'),
  amount: z.int().describe('Signed: what the balance changed by.'),
  balanceAfter: z.int(),
  replayed: z.boolean().describe('This is the stored first result of a repeated key; nothing was changed.'),
};

export const grantDofsInput = z.strictObject({
  idempotencyKey, ...target, reason,
  amount: amountSchema,
  source: z.enum(grantSources),
  priority: z.int().min(0).max(1_000).default(50).describe('Lower burns first.'),
  expiresAt: momentSchema.optional().describe('What is left then expires. Never, when absent.'),
  rollover: z.strictObject({
    maxDOFs: amountSchema.describe('Up to this many DOFs go on in a new lot when this one expires.'),
    days: z.int().min(1).max(3_650).describe('How long the new lot lives.'),
  }).optional(),
}).refine(({ rollover, expiresAt }) => rollover === undefined || expiresAt !== undefined, { message: 'only a grant that expires can roll over', path: ['rollover'] });
export const grantDofsOutput = z.object({ grantId: z.string(), debtRepaid: z.int().describe('Debt that this grant repaid at once.'), ...outcome });

export type GrantResult = Omit<z.output<typeof grantDofsOutput>, 'replayed'>;

export const voidGrantInput = z.strictObject({ idempotencyKey, ...target, grantId: idSchema, reason });
export const voidGrantOutput = z.object({
  grantId: z.string(),
  voidedDOFs: z.int().describe('Taken out now.'),
  heldDOFs: z.int().describe('Still held by sessions; what they give back is voided as well.'),
  ...outcome,
});

export type VoidResult = Omit<z.output<typeof voidGrantOutput>, 'replayed'>;

export const adjustBalanceInput = z.strictObject({
  idempotencyKey, ...target, reason,
  amount: z.int().min(-mostDOFs).max(mostDOFs).refine((amount) => amount !== 0, 'must not be 0').describe('Signed. Positive opens a lot, negative takes what no hold has taken.'),
  correctsEntryId: z.string().regex(/^(?!__.*__$)[A-Za-z0-9_-]{1,200}$/, 'is no id of a ledger entry').optional().describe('The ledger entry that this corrects.'),
});
export const adjustBalanceOutput = z.object({ grantId: z.string().nullable().describe('The lot that a positive adjustment opened.'), ...outcome });

export type AdjustResult = Omit<z.output<typeof adjustBalanceOutput>, 'replayed'>;

export const holdView = z.object({
  holdId: z.string(),
  state: z.enum(['pending', 'posted', 'released', 'expired']),
  heldDOFs: z.int().describe('DOFs still set aside.'),
  postedDOFs: z.int(),
  releasedDOFs: z.int(),
});
export const placeHoldInput = z.strictObject({
  idempotencyKey, ...target,
  amount: amountSchema,
  ttlSeconds: z.int().min(1).max(7 * 24 * 3_600).default(600).describe('The hold is released by itself afterwards.'),
});
export const placeHoldOutput = holdView.extend({ expiresAt: momentSchema, replayed: z.boolean() });
export type HoldResult = Omit<z.output<typeof placeHoldOutput>, 'replayed'>;

export const postHoldInput = z.strictObject({ ...target, holdId: idSchema, reason, amount: amountSchema.describe('DOFs to debit, at most what is held. The rest is released.') });
export const releaseHoldInput = z.strictObject({ ...target, holdId: idSchema });

/** Digest of an operation's input, whatever the order of its fields. */
export function fingerprintOf(input: Record<string, unknown>): string {
  return createHash('sha256').update(canonical(input)).digest('base64url');
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, field]) => field !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`;
}
