import fc from 'fast-check';
import { plans, type Plan } from './commands.ts';
import { simulate } from './simulate.ts';

/** Which seeds to run. */
export interface Seeds {
  first: number;
  count: number;
  /** Called after every seed. */
  onSeed?: (done: number) => void;
  signal?: AbortSignal;
}

const counted = ['turns', 'consumedDOFs', 'faults', 'shown', 'joins', 'guestTurns', 'shared'] as const;

/** What many histories came to. */
export interface SeedsReport {
  histories: number;
  turns: number;
  consumedDOFs: number;
  faults: number;
  shown: number;
  joins: number;
  guestTurns: number;
  shared: number;
  refusals: Map<string, number>;
  /** The first seed that broke a rule, its shortest history that does, and how to play it again; null when none did. */
  failure: string | null;
}

/** Runs one history per seed and stops at the first that breaks a rule, which it then makes as short as it can. */
export async function runSeeds({ first, count, onSeed = () => undefined, signal }: Seeds): Promise<SeedsReport> {
  const report: SeedsReport = { histories: 0, turns: 0, consumedDOFs: 0, faults: 0, shown: 0, joins: 0, guestTurns: 0, shared: 0, refusals: new Map(), failure: null };
  for (let seed = first; seed < first + count && !signal?.aborted; seed++) {
    try {
      const { refusals, ...counts } = await simulate(planOf(seed), faultRateOf(seed));
      for (const each of counted) report[each] += counts[each];
      for (const [reason, times] of refusals) report.refusals.set(reason, (report.refusals.get(reason) ?? 0) + times);
    } catch (error) {
      report.failure = signal?.aborted ? null : await describeFailure(seed, error as Error);
      return report;
    }
    report.histories++;
    onSeed(report.histories);
  }
  return report;
}

/** The history of a seed: always the same. */
export function planOf(seed: number): Plan {
  return fc.sample(plans, { seed, numRuns: 1 })[0]!;
}

/** Most histories meet few faults; every fifth meets many. */
function faultRateOf(seed: number): number {
  return seed % 5 === 0 ? 0.05 : 0.01;
}

async function describeFailure(seed: number, error: Error): Promise<string> {
  const shrunk = await fc.check(fc.asyncProperty(plans, async (plan) => void await simulate(plan, faultRateOf(seed))), { seed, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  const shortest = shrunk.counterexample?.[0] ?? planOf(seed);
  const said = shrunk.errorInstance instanceof Error ? shrunk.errorInstance.message : error.message;
  return [`seed ${seed}: ${error.message}`, `shortest history (${shortest.commands.length} commands): ${said}`, JSON.stringify(shortest), `again: npm run simulate -- --seed ${seed}`].join('\n');
}
