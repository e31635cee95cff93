import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isStale } from './install.mjs';

describe('isStale', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'jiga-install-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(locked: object, installed?: object): void {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
    if (!installed) return;
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  }

  it('is true before the first install', () => {
    write({ 'node_modules/a': { version: '1.0.0' } });
    assert(isStale(folder));
  });

  it('is false when what is locked is installed, optional packages of other platforms aside', () => {
    write({ '': { name: 'x' }, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0', optional: true } }, { 'node_modules/a': { version: '1.0.0' } });
    assert(!isStale(folder));
  });

  it('is true after a version changed or a package was added', () => {
    write({ 'node_modules/a': { version: '1.0.1' } }, { 'node_modules/a': { version: '1.0.0' } });
    assert(isStale(folder));
    write({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/c': { version: '1.0.0' } });
    assert(isStale(folder));
  });

  it('is true when a file of a finished install is missing', () => {
    write({ 'node_modules/a': { version: '1.0.0' } }, { 'node_modules/a': { version: '1.0.0' } });
    assert(isStale(folder, ['node_modules/a/binary']));
  });
});
