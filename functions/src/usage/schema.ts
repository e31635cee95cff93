import { z } from 'zod';
import { dofRatesSchema, entryTypes, grantSources } from '../credits/schema.ts';
import { turnOutcomes } from '../live/schema.ts';
import { noUsage, providerNames, type Usage } from '../providers/types.ts';
import { dofsSchema, accountIdSchema, idSchema, momentSchema, pageSchema } from '../runtime/schema.ts';

/** The counts of a turn, in the order in which reports show them. */
export const usageCounts = [...Object.keys(noUsage) as (keyof Usage)[], 'spokenCharacters'] as const;

/** What a turn used; a count is absent when nobody knows it. */
const usageView = z.object({
  textInputTokens: dofsSchema,
  imageInputTokens: dofsSchema,
  audioInputTokens: dofsSchema,
  cachedInputTokens: dofsSchema,
  outputTokens: dofsSchema,
  reasoningTokens: dofsSchema,
  spokenCharacters: dofsSchema,
} satisfies Record<(typeof usageCounts)[number], z.ZodType>).partial();

/** A part of a price and the grant that paid it. */
const paidPart = z.object({
  grantId: z.string(),
  source: z.enum(grantSources).nullable().describe('Null when the record of the grant is gone.'),
  amount: dofsSchema,
});

export const receiptLine = z.object({
  requestId: idSchema.nullable().describe('Null for DOFs whose record was lost.'),
  turnId: idSchema.nullable(),
  memberId: z.string().nullable().describe('The member who took the turn; null for the owner.'),
  at: momentSchema.describe('When the turn ended.'),
  frame: z.keyof(dofRatesSchema.shape.frame).nullable().describe('How the frame was seen; null without one.'),
  instruction: z.boolean().describe('Whether an instruction was sent.'),
  audioSeconds: z.number().nonnegative(),
  provider: z.enum([...providerNames, 'unknown']),
  model: z.string(),
  usage: usageView.describe('Token counts as the model reports them, and the characters that were spoken; absent where they are unknown.'),
  outcome: z.enum([...turnOutcomes, 'unknown']),
  estimated: z.boolean(),
  costDOFs: dofsSchema,
  fromDOFs: dofsSchema.describe('DOFs of the session before the turn.'),
  toDOFs: dofsSchema.describe('DOFs of the session after the turn.'),
  settled: z.boolean().describe('The balance has been charged for all of it.'),
  lots: z.array(paidPart).describe('Which grants paid, in the order of burning.'),
  debtDOFs: dofsSchema.describe('What no grant could pay.'),
  entryIds: z.array(z.string()).describe('The ledger entries that charged it.'),
});
export type ReceiptLine = z.input<typeof receiptLine>;

export const getReceiptInput = z.strictObject({
  sessionId: idSchema,
  requestId: idSchema.optional().describe('Only the line of this request.'),
  memberId: accountIdSchema.optional().describe('The member who made that request; the owner without it.'),
  ...pageSchema.shape,
}).refine(({ requestId, cursor }) => requestId === undefined || cursor === undefined, { message: 'goes with a page, not with requestId', path: ['cursor'] });

/** A voice token that was handed out in a session. */
const receiptVoiceToken = z.object({
  requestId: idSchema,
  provider: z.enum(providerNames),
  model: z.string(),
  voice: z.string(),
  minutes: z.int(),
  mintedAt: momentSchema,
  expiresAt: momentSchema,
  costDOFs: dofsSchema,
  entryId: z.string().nullable().describe('The ledger entry that charged it; null until it has expired, when its hold is posted.'),
});
export type ReceiptVoiceToken = z.input<typeof receiptVoiceToken>;

export const getReceiptOutput = z.object({
  sessionId: idSchema,
  agentInstanceId: idSchema,
  status: z.enum(['active', 'ended']),
  settlement: z.enum(['open', 'pending', 'done']),
  price: z.object({ productId: idSchema, version: z.int(), rates: dofRatesSchema }).describe('What the session was priced by: pinned when it started.'),
  consumedDOFs: dofsSchema.describe('The cost of all lines together.'),
  settledDOFs: dofsSchema.describe('What the balance was charged so far: the lots and debts of all lines together.'),
  lines: z.array(receiptLine).describe('The turns in their order.'),
  voiceTokens: z.array(receiptVoiceToken).describe('Voice tokens that were handed out, oldest first. They are paid for beside the turns: consumedDOFs and settledDOFs do not count them.'),
  nextCursor: z.string().nullable(),
});

/** Whose data is asked for, where an administrator may name somebody else. */
const userId = accountIdSchema.optional().describe('Another user; administrators only.');

export const listLedgerInput = z.strictObject({ agentInstanceId: idSchema, userId, ...pageSchema.shape });

/** A ledger entry as clients see it. All amounts are signed. */
export const ledgerEntryView = z.object({
  entryId: z.string(),
  type: z.enum(entryTypes),
  amount: z.int().describe('What the balance changed by.'),
  balanceAfter: z.int(),
  lots: z.array(z.object({ grantId: z.string(), amount: z.int() })).describe('What each grant changed by.'),
  debtDOFs: z.int().describe('What the debt changed by.'),
  seq: z.int().describe('Rises by one with every entry of the agent.'),
  sessionId: z.string().optional(),
  holdId: z.string().optional(),
  grantId: z.string().optional(),
  correctsEntryId: z.string().optional(),
  reason: z.string().optional(),
  actor: z.string().optional().describe('Who made it; shown to administrators.'),
  createdAt: momentSchema,
});
export const listLedgerOutput = z.object({ entries: z.array(ledgerEntryView), nextCursor: z.string().nullable() });

/** The longest range of an export. */
const mostDays = 92;
const dayMs = 24 * 60 * 60 * 1000;
const momentInput = z.iso.datetime({ offset: true });

export const exportFormats = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const exportUsageInput = z.strictObject({
  from: momentInput.describe('First moment, ISO 8601.'),
  to: momentInput.describe(`The moment after the last, at most ${mostDays} days later.`),
  format: z.enum(exportFormats),
  agentInstanceId: idSchema.optional().describe('Only turns with this agent.'),
  userId,
}).superRefine((input, context) => {
  const { from, to } = rangeOf(input);
  const problem = from < 0 || to > lastMoment ? 'must lie between 1970 and 9999' : to <= from ? 'must be later than from' : to - from > mostDays * dayMs ? `must be at most ${mostDays} days after from` : null;
  if (problem) context.addIssue({ code: 'custom', path: ['to'], message: problem });
});
const lastMoment = Date.UTC(9999, 0);

/** The range of an export in ms since the epoch. */
export function rangeOf({ from, to }: { from: string; to: string }): { from: number; to: number } {
  return { from: Date.parse(from), to: Date.parse(to) };
}

export const exportUsageOutput = z.object({ rows: dofsSchema.describe('Number of rows.'), costDOFs: dofsSchema.describe('Sum of their costs.'), format: z.enum(exportFormats) });

/** A piece of the export; the pieces one after the other are the file. */
export const exportUsageChunk = z.object({ type: z.literal('rows'), text: z.string() });
