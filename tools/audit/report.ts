import { driftKinds, type Drift, type Value } from '../../functions/src/audit/facts.ts';

/** What an audit came to. */
export interface Summary {
  agents: number;
  entries: number;
  sessions: number;
  drifts: number;
  /** Drifts among them that a repair could mend. */
  repairable: number;
  /** Agents that changed too often to be judged. */
  unsteady: number;
  /** Agents that were repaired; null when nothing was to be. */
  repaired: number | null;
  seconds: number;
}

/** Where the report goes. */
export interface Report {
  drift: (drift: Drift) => void;
  /** `fields` changed on the documents of an agent, or why nothing could be done. */
  repair: (agent: string, fields: string[] | null, problem?: string) => void;
  note: (line: string) => void;
  /** How many agents have been audited; shown to people at a terminal only. */
  progress: (agents: number) => void;
  summary: (summary: Summary) => void;
}

/** JSON lines for programs. */
export function jsonReport(write: (text: string) => void): Report {
  const line = (value: object): void => write(`${JSON.stringify(value)}\n`);
  return {
    drift: (drift) => line({ type: 'drift', ...drift }),
    repair: (agent, fields, problem) => line({ type: 'repair', agent, fields, ...(problem === undefined ? {} : { problem }) }),
    note: () => undefined,
    progress: () => undefined,
    summary: (summary) => line({ type: 'summary', ...summary }),
  };
}

/** Lines for people; on a terminal a line of progress is drawn over. */
export function textReport(write: (text: string) => void, isTTY: boolean): Report {
  const line = (text: string): void => write(`${isTTY ? '\r\x1b[2K' : ''}${text}\n`);
  return {
    drift: ({ kind, documents, expected, found, repairable }) => line(`drift    ${kind}: ${driftKinds[kind]}. ${documents.join(', ')}: expected ${shown(expected)}, found ${shown(found)}${repairable ? '' : ' (cannot be repaired)'}`),
    repair: (agent, fields, problem) => line(problem === undefined ? `repaired ${agent}: ${fields?.length ? fields.join(', ') : 'nothing was left to do'}` : `failed   ${agent}: ${problem}`),
    note: line,
    progress: (agents) => { if (isTTY) write(`\r\x1b[2K${agents} agents audited ...`); },
    summary: (summary) => line(summaryLine(summary)),
  };
}

/** The summary as one line. */
export function summaryLine({ agents, entries, sessions, drifts, repairable, unsteady, repaired, seconds }: Summary): string {
  const found = drifts === 0 ? 'no drift' : `${count(drifts, 'drift')}${repaired === null && repairable > 0 ? `, ${repairable} of them can be repaired (--repair)` : ''}`;
  const parts = [
    count(agents, 'agent'), count(entries, 'ledger entry', 'ledger entries'), count(sessions, 'session'),
    ...(repaired === null ? [] : [`${count(repaired, 'agent')} repaired`]), found,
    ...(unsteady === 0 ? [] : [`${count(unsteady, 'agent')} too busy to be judged: try again`]),
  ];
  return `${parts.join(', ')}, ${seconds.toFixed(1)} s`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function shown(value: Value): string {
  return value === null ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
