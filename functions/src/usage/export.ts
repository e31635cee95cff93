import type { CheckpointDoc, UsageLine } from '../credits/schema.ts';
import { rangeOf, usageCounts, type ExportFormat } from './schema.ts';

/** The columns of an export, in their order. */
export const exportColumns = [
  'at', 'userId', 'agentInstanceId', 'sessionId', 'requestId', 'turnId', 'provider', 'model', 'frame', 'instruction', 'audioSeconds', ...usageCounts, 'outcome', 'estimated', 'costDOFs', 'memberId',
] as const;

type Cell = string | number | boolean | null;

/** One turn of an export; null where there is nothing or nobody knows. */
export type ExportRow = Record<(typeof exportColumns)[number], Cell> & { costDOFs: number };

/** Whose lines a checkpoint holds. */
type LinesOf = Pick<CheckpointDoc, 'ownerId' | 'agentInstanceId' | 'sessionId' | 'lines'>;

function toRow({ ownerId, agentInstanceId, sessionId }: LinesOf, line: UsageLine): ExportRow {
  const { requestId, turnId, provider, model, input, usage, outcome, estimated, by } = line;
  const counts = Object.fromEntries(usageCounts.map((name) => [name, usage[name] ?? null])) as Record<(typeof usageCounts)[number], number | null>;
  return {
    at: new Date(line.at).toISOString(), userId: ownerId, agentInstanceId, sessionId, requestId: requestId || null, turnId: turnId || null,
    provider, model: model || null, frame: input.frame, instruction: input.instruction, audioSeconds: input.audioSeconds, ...counts, outcome, estimated, costDOFs: line.to - line.from, memberId: by ?? null,
  };
}

/**
 * Picks the turns of an export out of checkpoints: those that ended in [from, to) (ms), each once however many
 * checkpoints repeat it. Checkpoints may come in any order: two instances' clocks need not agree.
 */
export class RowPicker {
  private readonly range: { from: number; to: number };
  /** DOFs already seen of each session, as stretches; one, unless checkpoints came out of order. */
  private readonly seen = new Map<string, Stretch[]>();

  constructor(range: { from: number; to: number }) {
    this.range = range;
  }

  /** The rows of a checkpoint that no checkpoint before it had, in the order of its lines. */
  pick(checkpoint: LinesOf): ExportRow[] {
    const before = this.seen.get(checkpoint.sessionId) ?? [];
    const fresh = checkpoint.lines.filter((line) => !before.some(({ from, to }) => from <= line.from && line.to <= to));
    this.seen.set(checkpoint.sessionId, joined([...before, ...fresh.map(({ from, to }) => ({ from, to }))]));
    return fresh.filter(({ at }) => at >= this.range.from && at < this.range.to).map((line) => toRow(checkpoint, line));
  }
}

interface Stretch {
  from: number;
  to: number;
}

function joined(stretches: Stretch[]): Stretch[] {
  const whole: Stretch[] = [];
  for (const stretch of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = whole.at(-1);
    if (last && stretch.from <= last.to) last.to = Math.max(last.to, stretch.to);
    else whole.push({ ...stretch });
  }
  return whole;
}

/** How rows become text: what stands before the first one, and each row with its end of line. */
export interface RowFormat {
  contentType: string;
  head: string;
  toText: (row: ExportRow) => string;
}

/** The formats of an export. JSON lines have null, CSV has an empty field, for what is not known. */
export const rowFormats: Record<ExportFormat, RowFormat> = {
  csv: { contentType: 'text/csv; charset=utf-8', head: toCsvRecord(exportColumns), toText: (row) => toCsvRecord(exportColumns.map((column) => row[column])) },
  jsonl: { contentType: 'application/x-ndjson', head: '', toText: (row) => `${JSON.stringify(row)}\n` },
};

/** One record of CSV as RFC 4180 has it, with its end of line. */
export function toCsvRecord(cells: readonly Cell[]): string {
  return `${cells.map(toCsvField).join(',')}\r\n`;
}

function toCsvField(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = withoutFormula(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Text that a spreadsheet would take for a formula gets an apostrophe in front; ids that begin with `-` do as well. */
export function withoutFormula(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/** The name of the file that an export is saved as: the range in days of UTC. */
export function exportFileName(input: { from: string; to: string; format: ExportFormat }): string {
  const { from, to } = rangeOf(input);
  const day = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
  return `usage-${day(from)}-${day(to)}.${input.format}`;
}
