import assert from 'node:assert/strict';
import { sortTestFiles } from './mocha.ts';

describe('sortTestFiles', () => {
  it('separates the tests that need the suite and puts the comparison with the seed first', () => {
    const files = ['tools/seed/seed.emulator.test.ts', 'functions/src/a/b.test.ts', 'functions/test/a.emulator.test.ts', 'functions/src/a/b.ts'];
    assert.deepEqual(sortTestFiles(files), {
      unit: ['functions/src/a/b.test.ts'],
      emulator: ['tools/seed/seed.emulator.test.ts', 'functions/test/a.emulator.test.ts'],
    });
  });
});
