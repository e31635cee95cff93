import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';

/** Oldest Java that firebase-tools accepts. */
export const MINIMUM_JAVA = 21;

/** A Java runtime: its executable, its JAVA_HOME and its major version. */
export interface Java {
  executable: string;
  home: string;
  version: number;
}

/** Where to look, replaceable in tests. */
export interface JavaSearch {
  env: NodeJS.ProcessEnv;
  jvmFolders: string[];
  versionOf: (executable: string) => number | undefined;
}

const JVM_FOLDERS = [
  '/usr/lib/jvm',
  '/usr/java',
  '/opt/java',
  '/Library/Java/JavaVirtualMachines',
  '/opt/homebrew/opt',
  '/usr/local/opt',
];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Reads the major version out of `java -version`; releases before 9 call themselves 1.x. */
export function parseJavaVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match ? Number(match[1]) : undefined;
}

function askVersion(executable: string): number | undefined {
  const result = spawnSync(executable, ['-version'], { encoding: 'utf8', timeout: 20_000 });
  return result.status === 0 ? parseJavaVersion(result.stderr + result.stdout) : undefined;
}

/** Every Java executable of this machine, the user's explicit choice first. */
function* candidates({ env, jvmFolders }: JavaSearch): Generator<string> {
  if (env['JAVA_HOME']) yield join(env['JAVA_HOME'], 'bin', 'java');
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder) yield join(folder, 'java');
  }
  for (const folder of jvmFolders.flatMap(subfolders)) {
    yield join(folder, 'bin', 'java');
    yield join(folder, 'Contents', 'Home', 'bin', 'java');
  }
}

/** Finds a Java that firebase-tools accepts, in JAVA_HOME, on PATH or in the system's JVM folders. */
export function findJava(search: Partial<JavaSearch> = {}): Java {
  const { env = process.env, jvmFolders = JVM_FOLDERS, versionOf = askVersion } = search;
  const seen = new Map<string, number>();
  for (const candidate of candidates({ env, jvmFolders, versionOf })) {
    if (!isExecutable(candidate)) continue;
    const executable = realpathSync(candidate);
    if (seen.has(executable)) continue;
    const version = versionOf(executable);
    if (version === undefined) continue;
    if (version >= MINIMUM_JAVA) return { executable, home: dirname(dirname(executable)), version };
    seen.set(executable, version);
  }
  const found = [...seen].map(([executable, version]) => `Java ${version} at ${executable}`).join(', ') || 'none';
  throw new UserError(
    `The emulators need Java ${MINIMUM_JAVA} or newer (found: ${found}): `
      + 'install a package such as openjdk-21-jre-headless or temurin-21-jdk, or set JAVA_HOME.',
  );
}
