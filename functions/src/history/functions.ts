import type { z } from 'zod';
import { parseCursor, toCursor } from '../runtime/cursor.ts';
import { operation, type CallContext } from '../runtime/operation.ts';
import { now } from '../runtime/system.ts';
import { requireMember, requireOwner } from '../sessions/members.ts';
import { sessionIdInput, type SessionDoc } from '../sessions/schema.ts';
import { getSessionOf } from '../sessions/store.ts';
import { finishDeletion } from './cleanup.ts';
import { exportFileName, exportParts, jsonLines } from './export.ts';
import { positionOf, toTurnView } from './history.ts';
import { deleteSessionOutput, exportSessionChunk, exportSessionOutput, listTurnsInput, listTurnsOutput } from './schema.ts';
import { commitDeletion } from './store-delete.ts';
import { turnsBefore } from './turns.ts';

export const listTurns = operation({
  name: 'listTurns',
  summary: 'What was said in a session that the signed-in user owns or has joined, newest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}/turns' },
  input: listTurnsInput,
  output: listTurnsOutput,
  async handle({ sessionId, limit, cursor }, { caller: { uid } }) {
    const before = cursor === undefined ? null : parseCursor(cursor);
    const session = requireMember(await getSessionOf(uid, sessionId), uid);
    const found = await turnsBefore(session, limit + 1, before);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return { turns: page.map((turn) => toTurnView(turn, session, uid)), nextCursor: found.length > limit && last ? toCursor(positionOf(last)) : null };
  },
});

export const exportSession = operation({
  name: 'exportSession',
  summary: 'Exports an owned session as JSON lines: the session, what was said in it, the files that were kept of it, and a last line that counts them.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}/export' },
  input: sessionIdInput,
  output: exportSessionOutput,
  chunk: exportSessionChunk,
  download: { contentTypes: [jsonLines], file: ({ sessionId }: { sessionId: string }) => ({ contentType: jsonLines, fileName: exportFileName(sessionId) }) },
  options: { timeoutSeconds: 360, memory: '1GiB', concurrency: 10 },
  async handle({ sessionId }, context) {
    const { uid } = context.caller;
    return sendParts(requireOwner(await getSessionOf(uid, sessionId), uid), context);
  },
});

/** Sends a session part by part, each when the caller has taken the one before; stops when the caller has gone. Answers how many turns and files were sent. */
async function sendParts(session: SessionDoc, { emit, taken, signal }: CallContext): Promise<z.input<typeof exportSessionOutput>> {
  let sent = { turns: 0, media: 0 };
  for await (const { lines, ...counts } of exportParts(session)) {
    if (signal.aborted) break;
    emit({ type: 'lines', text: lines.map((line) => `${JSON.stringify(line)}\n`).join('') });
    await taken?.();
    sent = counts;
  }
  return sent;
}

export const deleteSession = operation({
  name: 'deleteSession',
  summary: 'Deletes what was said and shown in an owned session that has ended, for good. What it cost stays in receipts and ledger. Repeating it changes nothing.',
  access: 'signed-in',
  route: { method: 'delete', path: '/sessions/{sessionId}' },
  input: sessionIdInput,
  output: deleteSessionOutput,
  async handle({ sessionId }, { caller }) {
    const session = await commitDeletion(caller.uid, sessionId, now());
    if (session.cleanupAt !== null) await finishDeletion(session, now);
    return { sessionId };
  },
});
