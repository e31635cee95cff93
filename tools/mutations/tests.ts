import type { TestRun } from './mutation.ts';

/** The tests beside a source file, named as `folder/file`. */
export const unit = (name: string): TestRun => ({ file: `functions/src/${name}.test.ts` });

/** A scene in which one operation is struck by a crash at each of its requests. */
export const crash = (operation: string): TestRun => ({ file: 'functions/test/simulator/crashes.test.ts', grep: `of ${operation} loses` });

/** Calls that arrive together; the name begins like this. */
export const parallel = (name: string): TestRun => ({ file: 'functions/test/simulator/parallel.test.ts', grep: name });
