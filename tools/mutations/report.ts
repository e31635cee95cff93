import type { Mutation } from './mutation.ts';
import type { Verdict } from './run.ts';

const padded = (rows: string[][]): string[] => {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
};

/** The mutants as a table: kind of guard, file, what is removed, the tests that have to notice. */
export function tableOf(mutations: Mutation[]): string[] {
  const testsOf = ({ tests }: Mutation) => tests.map(({ file, grep }) => (grep === undefined ? file : `${file} (${grep})`)).join(', ');
  return padded([['guard', 'file', 'what is removed', 'noticed by'], ...mutations.map((each) => [each.guard, each.file, each.what, testsOf(each)])]);
}

/** One line for a mutant that has run. */
export function lineOf({ guard, file, what }: Mutation, { verdict, by, seconds }: Verdict): string {
  const shown = { killed: 'killed  ', survived: 'SURVIVED', invalid: 'INVALID ' }[verdict];
  const reason = verdict === 'survived' ? 'no test noticed' : by;
  return `${shown} ${seconds.toFixed(1).padStart(5)} s  ${guard.padEnd(15)}  ${file}: ${what}  <- ${reason}`;
}

/** The last line of a run. */
export function summaryOf(verdicts: Verdict[], seconds: number): string {
  const count = (wanted: Verdict['verdict']): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
  return `${verdicts.length} mutants: ${count('killed')} killed, ${count('survived')} survived, ${count('invalid')} invalid, in ${Math.round(seconds)} s`;
}
