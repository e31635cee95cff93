import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJava, parseJavaVersion } from './java.ts';

describe('findJava', () => {
  let folder: string;
  beforeEach(() => { folder = realpathSync(mkdtempSync(join(tmpdir(), 'jiga-java-'))); });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** An executable file that counts as a Java of the version in its folder's name. */
  function java(name: string): string {
    const bin = join(folder, name, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'java'), '');
    chmodSync(join(bin, 'java'), 0o755);
    return bin;
  }
  const versionOf = (executable: string) => Number(/jdk-(\d+)/.exec(executable)?.[1]);

  it('skips a Java on PATH that is too old for one in the system folders', () => {
    const old = java('path/jdk-17');
    java('jvm/jdk-25');
    const found = findJava({ env: { PATH: old }, jvmFolders: [join(folder, 'jvm')], versionOf });
    assert.deepEqual(found, { executable: join(folder, 'jvm/jdk-25/bin/java'), home: join(folder, 'jvm/jdk-25'), version: 25 });
  });

  it('prefers JAVA_HOME to PATH', () => {
    java('home/jdk-21');
    const newer = java('path/jdk-25');
    const found = findJava({ env: { JAVA_HOME: join(folder, 'home/jdk-21'), PATH: newer }, jvmFolders: [], versionOf });
    assert.equal(found.version, 21);
  });

  it('names what it found and what to install when nothing is new enough', () => {
    const old = java('path/jdk-17');
    assert.throws(() => findJava({ env: { PATH: old }, jvmFolders: [join(folder, 'none')], versionOf }), (error: Error) => {
      assert.match(error.message, /found: Java 17 at .*jdk-17.*openjdk-21-jre-headless/);
      return !error.message.includes('\n');
    });
  });
});

describe('parseJavaVersion', () => {
  it('reads new and old notations', () => {
    assert.equal(parseJavaVersion('openjdk version "25.0.3" 2026-04-21 LTS'), 25);
    assert.equal(parseJavaVersion('openjdk version "21" 2023-09-19'), 21);
    assert.equal(parseJavaVersion('java version "1.8.0_392"'), 8);
    assert.equal(parseJavaVersion('no Java here'), undefined);
  });
});
