import type { SkippedFile } from './layout.ts';

/** What became of a session, or would: `would` beside it says which. */
export type Outcome = 'imported' | 'unchanged' | 'differs' | 'skipped' | 'broken';

/** What the report says of one session. */
export interface SessionReport {
  /** Its folder below the root, or the file of a session that had no folder. */
  folder: string;
  /** Its id here; null for what is no session. */
  sessionId: string | null;
  /** Its id there, where that is another one. */
  legacyId?: string;
  outcome: Outcome;
  /** The outcome is what would happen: nothing was written. */
  would?: true;
  reason?: string;
  turns: number;
  media: number;
  /** What of it is not imported, beside files: members without an account, messages that nobody said. */
  dropped: string[];
  files: { mapped: string[]; skipped: SkippedFile[]; broken: SkippedFile[] };
}

/** What --output is given. */
export interface MigrationReport {
  startedAt: string;
  from: string;
  dryRun: boolean;
  totals: { sessions: number; turns: number; media: number } & Record<Outcome, number>;
  sessions: SessionReport[];
  /** What lies at the root beside the sessions. */
  unrecognised: string[];
}

/** The report of a session of which nothing is known yet. */
export function emptyReport(folder: string, sessionId: string | null, outcome: Outcome, reason?: string): SessionReport {
  return { folder, sessionId, outcome, ...(reason === undefined ? {} : { reason }), turns: 0, media: 0, dropped: [], files: { mapped: [], skipped: [], broken: [] } };
}

/** The report of a session that one of its files keeps from being imported. */
export function brokenReport(folder: string, sessionId: string | null, file: string, reason: string): SessionReport {
  const report = emptyReport(folder, sessionId, 'broken', `${file} ${reason}`);
  return { ...report, files: { ...report.files, broken: [{ file, reason }] } };
}

/** Everything that was found, in the order of the folders. `turns` and `media` are those of the sessions that were imported. */
export function toReport(head: Pick<MigrationReport, 'startedAt' | 'from' | 'dryRun' | 'unrecognised'>, found: SessionReport[]): MigrationReport {
  const { startedAt, from, dryRun, unrecognised } = head;
  const sessions = found.map((session): SessionReport => (dryRun && session.outcome === 'imported' ? { ...session, would: true } : session))
    .sort((one, other) => (one.folder < other.folder ? -1 : one.folder > other.folder ? 1 : 0));
  const imported = sessions.filter(({ outcome }) => outcome === 'imported');
  const count = (outcome: Outcome): number => sessions.filter((session) => session.outcome === outcome).length;
  const sum = (field: 'turns' | 'media'): number => imported.reduce((total, session) => total + session[field], 0);
  const totals = { sessions: sessions.length, imported: imported.length, unchanged: count('unchanged'), differs: count('differs'), skipped: count('skipped'), broken: count('broken'), turns: sum('turns'), media: sum('media') };
  return { startedAt, from, dryRun, totals, sessions, unrecognised };
}

/** The report for people: a line for each session and one for all of them. At a terminal the columns stand below each other. */
export function toLines({ sessions, totals, dryRun, unrecognised }: MigrationReport, isTTY: boolean): string[] {
  const rows = sessions.map((session) => [
    `${session.would ? 'would be ' : ''}${session.outcome}`, session.folder, session.sessionId ?? '-',
    [`${session.turns} turns, ${session.media} media`, ...(session.reason === undefined ? [] : [session.reason]), ...(session.dropped.length === 0 ? [] : [`without ${session.dropped.length === 1 ? 'one thing' : `${session.dropped.length} things`} that the report names`])].join('; '),
  ].map(printable));
  const widths = [0, 1, 2].map((column) => (isTTY ? Math.max(0, ...rows.map((row) => row[column]!.length)) : 0));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(isTTY ? '  ' : ' '));
  const { imported, unchanged, differs, skipped, broken, turns, media } = totals;
  const notes = unrecognised.length === 0 ? [] : [printable(`not looked at: ${unrecognised.join(', ')}`)];
  return [...lines, ...notes, `${totals.sessions} sessions: ${imported} ${dryRun ? 'would be ' : ''}imported (${turns} turns, ${media} media), ${unchanged} unchanged, ${differs} that differ, ${skipped} skipped, ${broken} broken`];
}

/** A text for a terminal or a log: no e-mail address, which the report file alone has, and nothing that draws. */
export function printable(text: string): string {
  return text.replace(/[^\s/"'<>,;:()]+@[^\s/"'<>,;:()]+/gu, '(an e-mail address)').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
