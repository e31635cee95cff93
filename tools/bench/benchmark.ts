import type { Plan, Spread } from './method.ts';
import type { World } from './world/world.ts';

/** What a benchmark runs with. */
export interface Bench {
  world: World;
  plan: Plan;
  /** Aborted when it has taken too long, or nobody wants to know any more. */
  signal: AbortSignal;
  /** Whether it is only to show that it works: loads are small then, too. */
  quick: boolean;
}

/** A figure that is to stay on one side of a limit. */
export interface Goal extends Spread {
  what: string;
  limit: number;
  /** The limit is a lower one. */
  atLeast?: boolean;
  /** What stands after the number: ` ms`, ` bytes`; `×` for ratios. */
  unit: string;
  /** Why it is missed where it is, and what would mend that; shown only then. */
  shortfall?: string;
}

/** A figure beside the goals: context, no result. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  low?: number;
  high?: number;
}

/** What a benchmark came to. */
export interface Outcome {
  goals: Goal[];
  beside: Figure[];
  /** Sentences about this run. */
  notes?: string[];
  /** Counts that the model of costs (`tools/bench/scaling`) is made from. */
  counts?: Record<string, number>;
}

/** One of the things that are measured. */
export interface Benchmark {
  id: string;
  title: string;
  /** How it is measured, in a paragraph. */
  how: string;
  run: (bench: Bench) => Promise<Outcome>;
}

/** An outcome with what it is an outcome of. */
export interface Report extends Pick<Benchmark, 'id' | 'title' | 'how'>, Outcome {
  seconds: number;
  /** Why there are no figures. */
  failure?: string;
}

/** Whether a goal is reached. */
export function isHeld({ value, limit, atLeast = false }: Goal): boolean {
  return atLeast ? value >= limit : value <= limit;
}

/** A count, which has no spread. */
export function exactly(value: number): Spread {
  return { value, low: value, high: value };
}
