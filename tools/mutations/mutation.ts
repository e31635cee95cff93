/** Kinds of guards: those of the money code, of what vendors and models can reach, and of what is kept and deleted of sessions; every one of them has a mutant. */
export const guards = [
  'idempotency', 'negative amount', 'precondition', 'created once', 'expiry', 'fence', 'session limit', 'hold limit', 'price bound', 'close once', 'event', 'release', 'prepaid', 'quota', 'reach', 'member', 'archive', 'deletion', 'removal', 'rate limit', 'replay',
] as const;
export type Guard = (typeof guards)[number];

/** One run of mocha: a test file, and which of its tests. */
export interface TestRun {
  /** Relative to the repository. */
  file: string;
  /** Part of the name of the tests to run; all of them when absent. */
  grep?: string;
}

/** A guard that is taken out of the code, and the tests that have to notice. */
export interface Mutation {
  guard: Guard;
  /** What is removed, in one sentence. */
  what: string;
  /** Relative to functions/src. */
  file: string;
  /** Exact text that occurs once in the file, and what stands there instead. */
  find: string;
  replace: string;
  /** One of these fails, the fastest first. */
  tests: TestRun[];
}

/** How often a text occurs in a source. */
export function occurrences(source: string, text: string): number {
  return source.split(text).length - 1;
}

/**
 * The source without the guard.
 * @throws Error when the text is not there exactly once.
 */
export function mutate(source: string, { file, find, replace }: Pick<Mutation, 'file' | 'find' | 'replace'>): string {
  const count = occurrences(source, find);
  if (count !== 1) throw new Error(`${file} has ${count} times: ${find}`);
  return source.split(find).join(replace);
}
