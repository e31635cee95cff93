import type { MediaDoc } from '../media/schema.ts';
import { allMedia } from '../media/store.ts';
import { ownSessionView, type SessionDoc } from '../sessions/schema.ts';
import { toOwnSessionView } from '../sessions/views.ts';
import { toMembers } from '../sharing/views.ts';
import { toTurnView } from './history.ts';
import { allTurns } from './turns.ts';

/** The content type of an export: one JSON object on each line. */
export const jsonLines = 'application/x-ndjson';

/** The name of the file that a session's export is saved as. */
export function exportFileName(sessionId: string): string {
  return `session-${sessionId}.jsonl`;
}

/** One line of an export; the last one, by which a file that was cut short is noticed, counts the others. */
type ExportLine = { type: 'session' | 'turn' | 'media' | 'end' } & Record<string, unknown>;

/** Some lines of an export, and how many turns and files there were by then. */
export interface ExportPart {
  lines: ExportLine[];
  turns: number;
  media: number;
}

/** A session as its owner exports it: what is known of it, what was said in it, oldest first, and the files that were kept of it. */
export async function* exportParts(session: SessionDoc): AsyncGenerator<ExportPart> {
  const counts = { turns: 0, media: 0 };
  yield { lines: [sessionLine(session)], ...counts };
  for await (const turns of allTurns(session)) {
    counts.turns += turns.length;
    yield { lines: turns.map((turn) => ({ type: 'turn', ...toTurnView(turn, session, session.ownerId) })), ...counts };
  }
  for await (const files of allMedia(session.sessionId)) {
    counts.media += files.length;
    yield { lines: files.map(mediaLine), ...counts };
  }
  yield { lines: [{ type: 'end', ...counts }], ...counts };
}

function sessionLine(session: SessionDoc): ExportLine {
  const { members } = toMembers(session, session.ownerId, { online: [], invites: null });
  return { type: 'session', ...ownSessionView.parse(toOwnSessionView(session)), members: members.map(({ userId, role, capDOFs }) => ({ userId, role, capDOFs })) };
}

function mediaLine({ file, type, mimeType, bytes, turnId, by, createdAt }: MediaDoc): ExportLine {
  return { type: 'media', file, kind: type, mimeType, bytes, turnId, memberId: by, createdAt: createdAt.toDate().toISOString() };
}
