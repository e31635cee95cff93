import { Script } from 'node:vm';

const call = new Script('work()');

/**
 * Runs something that never waits, and stops it when it has not come to an end after so long, wherever it is: also in the
 * middle of a regular expression.
 */
export function bounded<T>(work: () => T, ms = 20_000): T {
  const scope = globalThis as { work?: () => T };
  scope.work = work;
  try {
    return call.runInThisContext({ timeout: ms }) as T;
  } finally {
    delete scope.work;
  }
}
