import { creditStoreMutations } from './credits-store.ts';
import { creditMutations, priceMutations } from './credits.ts';
import { historyMutations } from './history.ts';
import { importMutations } from './imports.ts';
import { liveMutations } from './live.ts';
import { mediaMutations } from './media.ts';
import type { Mutation, TestRun } from './mutation.ts';
import { runtimeMutations } from './runtime.ts';
import { sessionMutations } from './sessions.ts';
import { turnMutations } from './turns.ts';

/** Every mutant: one guard that is missing, of the money code, of what vendors and models can reach, and of what is kept, imported and deleted of sessions, and of what stands before every operation. */
export const mutations: Mutation[] = [...creditMutations, ...priceMutations, ...creditStoreMutations, ...liveMutations, ...turnMutations, ...sessionMutations, ...historyMutations, ...mediaMutations, ...importMutations, ...runtimeMutations];

/** The mutants whose guard, sentence or file contains every one of the words. */
export function selectMutations(words: string[]): Mutation[] {
  return mutations.filter(({ guard, what, file }) => {
    const text = `${guard} ${what} ${file}`.toLowerCase();
    return words.every((word) => text.includes(word.toLowerCase()));
  });
}

/** Every run of tests that the mutants name, once. */
export function testRunsOf(selected: Mutation[]): TestRun[] {
  return [...new Map(selected.flatMap(({ tests }) => tests).map((test) => [JSON.stringify(test), test])).values()];
}
