/** How often each side is measured: samples before anything counts, then rounds of samples. */
export interface Plan {
  warmups: number;
  rounds: number;
  perRound: number;
}

/** The plan that results are published from. */
export const fullPlan: Plan = { warmups: 15, rounds: 7, perRound: 25 };
/** Shows that a benchmark works; its figures mean little. */
export const quickPlan: Plan = { warmups: 3, rounds: 3, perRound: 5 };

/** One sample of one side, such as the ms that a call took. `index` is never given twice to the same side. */
export type Sample = (index: number) => Promise<number>;

/** The samples of one side, round by round. */
export type Rounds = number[][];

/** A figure with the interquartile range of its rounds. */
export interface Spread {
  value: number;
  low: number;
  high: number;
}

/** How many samples of each side a plan takes, warm-ups included. */
export function samplesOf({ warmups, rounds, perRound }: Plan): number {
  return warmups + rounds * perRound;
}

/**
 * Measures all sides in turn, one sample of each at a time, so that whatever else the machine does meets all of them
 * alike. Who goes first changes with every turn.
 */
export async function interleave<Name extends string>(sides: Record<Name, Sample>, plan: Plan, signal?: AbortSignal): Promise<Record<Name, Rounds>> {
  const names = Object.keys(sides) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, Array.from({ length: plan.rounds }, (): number[] => [])])) as Record<Name, Rounds>;
  for (let index = 0; index < samplesOf(plan); index++) {
    const round = Math.floor((index - plan.warmups) / plan.perRound);
    for (let turn = 0; turn < names.length; turn++) {
      signal?.throwIfAborted();
      const name = names[(index + turn) % names.length]!;
      const value = await sides[name](index);
      if (round >= 0) results[name][round]!.push(value);
    }
  }
  return results;
}

/** How long something takes, in ms. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** The value below which a share of the values lies, between neighbours in proportion. NaN when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** A figure of one round, such as its median. */
export type Statistic = (round: readonly number[]) => number;

export const median: Statistic = (round) => quantile(round, 0.5);
export const p95: Statistic = (round) => quantile(round, 0.95);

/** The median of the rounds' figures and their interquartile range. */
export function spread(figures: readonly number[]): Spread {
  return { value: median(figures), low: quantile(figures, 0.25), high: quantile(figures, 0.75) };
}

/** A figure of one side: of each round, then the median of those. */
export function summary(rounds: Rounds, statistic: Statistic = median): Spread {
  return spread(rounds.map(statistic));
}

/** How many times as large one side's figure is as another's, round by round. */
export function ratio(of: Rounds, to: Rounds, statistic: Statistic = median): Spread {
  return spread(of.map((round, index) => statistic(round) / statistic(to[index]!)));
}

/** By how much one side's figure exceeds another's, round by round. */
export function excess(of: Rounds, over: Rounds, statistic: Statistic = median): Spread {
  return spread(of.map((round, index) => statistic(round) - statistic(over[index]!)));
}
