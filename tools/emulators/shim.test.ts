import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('java shim', () => {
  let folder: string;
  let env: Record<string, string>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'jiga-shim-'));
    for (const name of ['java', 'node']) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho ${name}\nfor argument do echo "$argument"; done\n`, { mode: 0o755 });
    }
    env = {
      PATH: process.env['PATH'] ?? '',
      JIGA_JAVA: join(folder, 'java'),
      JIGA_NODE: join(folder, 'node'),
      JIGA_DATABASE_MAIN: '/repository/main.ts',
      JIGA_FIRESTORE_JAR: '/sdk folder/firestore.jar',
    };
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What the shim runs in its place: the program's name, then its arguments. */
  function runs(...args: string[]): string[] {
    return spawnSync(join(import.meta.dirname, 'shim', 'java'), args, { env, encoding: 'utf8' }).stdout.trimEnd().split('\n');
  }

  it('runs the embedded database in place of its placeholder', () => {
    assert.deepEqual(
      runs('-Duser.language=en', '-jar', '/cache/embedded-database.jar', '--port', '9000', '--host', '127.0.0.1'),
      ['node', '/repository/main.ts', '--port', '9000', '--host', '127.0.0.1'],
    );
  });

  it('gives the Cloud SDK Firestore its main class and keeps every other argument', () => {
    assert.deepEqual(
      runs('-Dlevel=FINE', '-jar', '/cache/cloud-sdk-firestore.jar', '--port', '8080', '--rules', '/my rules/firestore.rules'),
      ['java', '-Dlevel=FINE', '-Xmx2g', '-cp', '/sdk folder/firestore.jar', 'com.google.cloud.datastore.emulator.firestore.CloudFirestore',
        '--port', '8080', '--rules', '/my rules/firestore.rules'],
    );
  });

  it('caps the memory of an official emulator', () => {
    assert.deepEqual(runs('-jar', '/cache/firebase-database-emulator-v4.11.2.jar', '--port', '1'), ['java', '-Xmx2g', '-jar', '/cache/firebase-database-emulator-v4.11.2.jar', '--port', '1']);
  });

  it('hands everything else to the real Java', () => {
    assert.deepEqual(runs('-version'), ['java', '-version']);
  });
});
