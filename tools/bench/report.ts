import { isHeld, type Figure, type Goal, type Report } from './benchmark.ts';
import { samplesOf, type Plan } from './method.ts';
import { profiles } from './profiles.ts';

/** Where and with what a run was made. */
export interface Surroundings {
  /** Day of the run, ISO. */
  date: string;
  commit: string;
  machine: string;
  system: string;
  /** Average of runnable processes over a minute, before and after: above the number of cores others had a share. */
  load: [before: number, after: number];
  /** Names and versions of what was run. */
  versions: Record<string, string>;
}

/** A run as it is kept. */
export interface BenchRun {
  surroundings: Surroundings;
  plan: Plan;
  reports: Report[];
}

/** A number with as many digits as mean something. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString('en', { maximumFractionDigits: digits });
}

/** A figure and its range, where it has one. */
export function figureText({ value, unit, low = value, high = value }: Figure): string {
  const range = rounded(low) === rounded(high) ? '' : ` (${rounded(low)} to ${rounded(high)})`;
  return `${rounded(value)}${unit}${range}`;
}

/** What is asked for. */
export function goalText({ what, limit, unit, atLeast = false }: Goal): string {
  return `${what} ${atLeast ? '≥' : '≤'} ${rounded(limit)}${unit}`;
}

function verdict(goal: Goal): string {
  if (isHeld(goal)) return 'yes';
  const { value, limit, atLeast = false } = goal;
  return `no, by ${Math.round((atLeast ? limit / value : value / limit) * 100 - 100)} %`;
}

/** A table; cells must not hold line breaks. */
export function table(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function profileOf(id: string): string[] {
  const profile = profiles[id];
  if (!profile) return [];
  return ['', `**Profile** of ${profile.taken}: ${profile.how}`, '', ...table(['where', ...profile.columns], profile.rows)];
}

function section({ id, title, how, goals, beside, notes = [], failure }: Report): string[] {
  const missed = goals.filter((goal) => !isHeld(goal) && goal.shortfall);
  const figures: Figure[] = [...goals, ...beside];
  return [
    '', `## ${id}: ${title}`, '', how, '',
    ...(failure === undefined ? table(['figure', 'median (interquartile range)'], figures.map((figure) => [figure.what, figureText(figure)])) : [`This benchmark failed: ${failure}`]),
    ...notes.flatMap((note) => ['', note]),
    ...[...new Set(missed.map(({ shortfall }) => shortfall!))].flatMap((shortfall) => ['', `**Missed.** ${shortfall}`]),
    ...(missed.length === 0 ? [] : profileOf(id)),
  ];
}

/** The page of a run. */
export function benchmarksPage({ surroundings, plan, reports }: BenchRun): string {
  const { date, commit, machine, system, load, versions } = surroundings;
  const samples = `${plan.warmups} warm-ups, then ${plan.rounds} rounds of ${plan.perRound}`;
  const goals = reports.flatMap(({ id, goals: own, failure }) => (failure === undefined ? own.map((goal) => [id, goalText(goal), figureText(goal), verdict(goal)]) : [[id, '', 'failed', 'no']]));
  return [
    '# Benchmarks', '',
    'Written by `npm run bench`; do not edit. `npm run bench -- P3` runs one and prints it, `-- --json` prints JSON, `-- --quick` shows in a few minutes that all of them work.', '',
    '![Results as a share of what is allowed](benchmarks.svg)', '',
    ...table(['', 'what is asked for', 'result (interquartile range)', 'reached'], goals), '',
    `**Method.** All sides of a comparison run in turn in one run (${samples} of each: ${samplesOf(plan)} samples), and who goes first changes with every turn. Each figure is the median of the rounds' medians with the interquartile range of the rounds; ratios and differences are taken round by round. Ratios are the result: absolute times are those of this machine, which runs databases, functions, model and callers at once, and stand here as context. Counts are counted, not timed.`, '',
    '**What runs.** The built functions (`functions/lib`) under the functions framework, one process per instance with many requests at once, as deployed; ID tokens are signed and verified as deployed, calls are counted as deployed with a limit that nobody reaches. The databases are those of the emulator suite. Events go from Firestore straight to instances, without the functions emulator, which would start a process for each. Baselines are in `tools/bench/baselines/`.', '',
    ...table(['', ''], [['date', date], ['commit', commit], ['machine', machine], ['system', system], ['load before, after', load.map(rounded).join(', ')], ...Object.entries(versions)]),
    ...reports.flatMap(section), '',
  ].join('\n');
}
