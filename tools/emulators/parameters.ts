import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HEADER = '# Written for one run of the emulator suite and removed with it.\n';
const DEFINITION = /\bdefine(?:String|Int|Boolean|Float|List)\(\s*['"]([A-Z][A-Z0-9_]*)['"]/g;

/** Names of the parameters that the source defines; secrets are not among them. */
export function definedParameters(sourceFolder: string): string[] {
  const files = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const names = files.flatMap((file) => [...readFileSync(join(sourceFolder, file), 'utf8').matchAll(DEFINITION)].map((match) => match[1] ?? ''));
  return [...new Set(names)].sort();
}

/** Writes values the way firebase-tools reads a dotenv file. */
export function formatDotenv(values: Record<string, string>): string {
  const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return Object.entries(values).map(([name, value]) => `${name}="${escape(value)}"\n`).join('');
}

/**
 * Lets parameters come from the environment. firebase-tools takes them from dotenv files only, and
 * stores the default of every other one in functions/.env.local, where it would hide the environment's
 * value from then on. So the file holds the environment's values for one run. A file that the user
 * wrote is left alone and wins.
 *
 * @returns removes the file again
 */
export function writeParameters(functionsFolder: string, env: NodeJS.ProcessEnv): () => void {
  const file = join(functionsFolder, '.env.local');
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(HEADER)) return () => undefined;
  const values: Record<string, string> = {};
  for (const name of definedParameters(join(functionsFolder, 'src'))) {
    const value = env[name];
    if (value !== undefined) values[name] = value;
  }
  writeFileSync(file, HEADER + formatDotenv(values));
  return () => rmSync(file, { force: true });
}
