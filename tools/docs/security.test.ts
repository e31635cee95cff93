import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, ROOT } from '../paths.ts';

describe('the threat model in SECURITY.md', () => {
  const rows = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8').split('\n').filter((line) => line.startsWith('| ') && !/^\| (threat|---) \|/.test(line)).map((line) => line.slice(2, -2).split(' | '));

  it('says of each threat what stands against it and which test proves it', () => {
    assert.ok(rows.length > 30);
    for (const [threat, ...rest] of rows) assert.ok(threat && rest.length === 2 && rest.every((cell) => cell.trim() !== ''), threat);
  });

  it('names tests that are there', () => {
    for (const [threat, , proof] of rows) {
      const files = [...proof!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!);
      assert.ok(files.length > 0 && files.every((file) => file.endsWith('.test.ts')), threat);
      for (const file of files) assert.ok(existsSync(file.startsWith('tools/') ? join(ROOT, file) : join(FUNCTIONS, file)), file);
    }
  });
});
