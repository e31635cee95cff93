import type { z } from 'zod';
import type { Caller } from '../runtime/caller.ts';
import { parseCursorOf, toCursor } from '../runtime/cursor.ts';
import { AppError } from '../runtime/errors.ts';
import { operation, type CallContext } from '../runtime/operation.ts';
import { mintedTokens } from '../voice/store.ts';
import { exportFileName, rowFormats, RowPicker } from './export.ts';
import { toEntryView } from './ledger.ts';
import { paidStretches, paymentOf, toReceiptLine, toReceiptVoiceToken } from './receipt.ts';
import { exportUsageChunk, exportUsageInput, exportUsageOutput, getReceiptInput, getReceiptOutput, listLedgerInput, listLedgerOutput, rangeOf } from './schema.ts';
import { checkpointsBetween, lineOf, linesAfter, listEntries, readMetered, settlementsOf, sourcesOf, type MeteredSession } from './store.ts';

type ExportInput = z.output<typeof exportUsageInput>;

export const getReceipt = operation({
  name: 'getReceipt',
  summary: 'What a session has cost, turn by turn, and which grants and ledger entries paid for it.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}/receipt' },
  input: getReceiptInput,
  output: getReceiptOutput,
  async handle({ sessionId, requestId, memberId, limit, cursor }, { caller }) {
    const metered = await requireSession(caller, sessionId);
    const { session, consumedDOFs } = metered;
    const { agentInstanceId, status, settlement, settledDOFs } = session;
    const after = cursor === undefined ? 0 : parseCursorOf(sessionId, cursor);
    const [lines, entries, voiceTokens] = await Promise.all([
      requestId === undefined ? linesAfter(metered, after, limit).then((found) => found.slice(0, limit)) : requireLine(metered, requestId, memberId),
      settlementsOf(session),
      mintedTokens(sessionId),
    ]);
    const stretches = paidStretches(sessionId, entries, settledDOFs);
    const payments = lines.map((line) => paymentOf(line, stretches));
    const sources = await sourcesOf(session, [...new Set(payments.flatMap(({ lots }) => lots.map(({ grantId }) => grantId)))]);
    const reached = lines.at(-1)?.to ?? consumedDOFs;
    return {
      sessionId, agentInstanceId, status, settlement, consumedDOFs, settledDOFs,
      price: { productId: session.agentProductId, version: session.priceVersion, rates: session.config.dofRates },
      lines: lines.map((line, index) => toReceiptLine(line, payments[index]!, settledDOFs, sources)),
      voiceTokens: voiceTokens.map((token) => toReceiptVoiceToken(token, entries)),
      nextCursor: requestId === undefined && reached < consumedDOFs ? toCursor({ order: reached, id: sessionId }) : null,
    };
  },
});

export const listLedger = operation({
  name: 'listLedger',
  summary: 'The ledger of an agent, newest entry first: every change of its balance with the grants it concerned.',
  access: 'signed-in',
  route: { method: 'get', path: '/agents/{agentInstanceId}/ledger' },
  input: listLedgerInput,
  output: listLedgerOutput,
  async handle({ agentInstanceId, userId, limit, cursor }, { caller }) {
    const before = cursor === undefined ? null : parseCursorOf(agentInstanceId, cursor);
    const found = await listEntries(subjectOf(caller, userId), agentInstanceId, limit + 1, before);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      entries: page.map((entry) => toEntryView(entry, caller.admin)),
      nextCursor: found.length > limit && last ? toCursor({ order: last.seq, id: agentInstanceId }) : null,
    };
  },
});

export const exportUsage = operation({
  name: 'exportUsage',
  summary: 'Exports every charged turn of a user in a range of time, as CSV or JSON lines. The latest turns of an open session are part of it only after the session\'s next checkpoint.',
  access: 'signed-in',
  route: { method: 'get', path: '/usage/export' },
  input: exportUsageInput,
  output: exportUsageOutput,
  chunk: exportUsageChunk,
  download: {
    contentTypes: Object.values(rowFormats).map(({ contentType }) => contentType),
    file: (input: ExportInput) => ({ contentType: rowFormats[input.format].contentType, fileName: exportFileName(input) }),
  },
  options: { timeoutSeconds: 360, memory: '1GiB', concurrency: 10 },
  async handle(input, context) {
    return { ...await sendRows(input, subjectOf(context.caller, input.userId), context), format: input.format };
  },
});

/** Sends the rows checkpoint by checkpoint, each when the caller has taken the one before; stops when the caller has gone. */
async function sendRows(input: ExportInput, userId: string, { emit, taken, signal }: CallContext): Promise<{ rows: number; costDOFs: number }> {
  const range = rangeOf(input);
  const { head, toText } = rowFormats[input.format];
  const picker = new RowPicker(range);
  const sum = { rows: 0, costDOFs: 0 };
  // The head goes with the first rows: as long as nothing is sent, a failure is answered as an error.
  let text = head;
  for await (const checkpoint of checkpointsBetween(userId, range)) {
    if (signal.aborted) return sum;
    if (input.agentInstanceId !== undefined && checkpoint.agentInstanceId !== input.agentInstanceId) continue;
    const rows = picker.pick(checkpoint);
    if (rows.length === 0) continue;
    emit({ type: 'rows', text: text + rows.map(toText).join('') });
    await taken?.();
    text = '';
    sum.rows += rows.length;
    sum.costDOFs += rows.reduce((cost, row) => cost + row.costDOFs, 0);
  }
  if (text !== '') emit({ type: 'rows', text });
  return sum;
}

/** Whose data is meant. @throws AppError `permission-denied` (not_admin) for somebody else's, unless an administrator asks. */
function subjectOf(caller: Caller, userId = caller.uid): string {
  if (userId !== caller.uid && !caller.admin) throw new AppError('permission-denied', 'Only administrators may name another user.', { reason: 'not_admin' });
  return userId;
}

async function requireSession({ uid, admin }: Caller, sessionId: string): Promise<MeteredSession> {
  const metered = await readMetered(sessionId);
  if (!metered || (metered.session.ownerId !== uid && !admin)) throw new AppError('not-found', 'You have no session with this id.', { reason: 'not_found' });
  return metered;
}

async function requireLine(metered: MeteredSession, requestId: string, memberId: string | undefined): ReturnType<typeof linesAfter> {
  const line = await lineOf(metered, requestId, memberId);
  if (!line) throw new AppError('not-found', 'This session has charged no request with this id.', { reason: 'not_found' });
  return [line];
}
