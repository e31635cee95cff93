import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { operations } from '../src/operations.ts';
import type { Operation } from '../src/runtime/operation.ts';

const functionsFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is deployed: a row of fields for each function, and for each parameter. What is absent is as the platform has it by default. */
export interface Manifest {
  functions: Record<string, Record<string, unknown>>;
  parameters: Record<string, Record<string, unknown>>;
}

/** The file that a change of what is deployed has to be reviewed in. */
export const reviewedFile = join(functionsFolder, 'test', 'manifest.json');

/** What firebase-tools reads when it deploys. */
interface WireManifest {
  endpoints: Record<string, Record<string, unknown>>;
  params: ({ name: string } & Record<string, unknown>)[];
}

/** Has the functions list themselves as they do for firebase-tools, in a process without a project, an account or an emulator. */
async function discover(): Promise<WireManifest> {
  const folder = await mkdtemp(join(tmpdir(), 'manifest-'));
  const output = join(folder, 'manifest.json');
  const program = join(functionsFolder, 'node_modules', 'firebase-functions', 'lib', 'bin', 'firebase-functions.js');
  try {
    // The program takes its first argument for the folder only when there is another one.
    await promisify(execFile)(process.execPath, [program, join('src', 'index.ts'), '-'], {
      cwd: functionsFolder,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GCLOUD_PROJECT: 'demo-unit', FUNCTIONS_CONTROL_API: 'true', FUNCTIONS_MANIFEST_OUTPUT_PATH: output },
    });
    return JSON.parse(await readFile(output, 'utf8')) as WireManifest;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What is deployed by the source as it is now. */
export async function currentManifest(): Promise<Manifest> {
  const { endpoints, params } = await discover();
  return {
    functions: sorted(Object.entries(endpoints).map(([name, endpoint]) => [name, { ...toRow(endpoint), ...accessOf(name) }])),
    parameters: sorted(params.map(({ name, ...about }) => [name, about])),
  };
}

/** The manifest as a file: a line for each function and parameter. */
export function formatManifest({ functions, parameters }: Manifest): string {
  const lines = (rows: Record<string, object>): string => Object.entries(rows).map(([name, row]) => `    ${JSON.stringify(name)}: ${JSON.stringify(row).replaceAll('":', '": ').replaceAll(',"', ', "')}`).join(',\n');
  return `{\n  "functions": {\n${lines(functions)}\n  },\n  "parameters": {\n${lines(parameters)}\n  }\n}\n`;
}

/** What one manifest has other than the reviewed one, a line for each field. */
export function differences(reviewed: Manifest, current: Manifest): string[] {
  const [before, after] = [fieldsOf(reviewed), fieldsOf(current)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().filter((field) => before.get(field) !== after.get(field))
    .map((field) => `${field}: reviewed ${before.get(field) ?? 'nothing'}, now ${after.get(field) ?? 'nothing'}`);
}

function fieldsOf(manifest: Manifest): Map<string, string> {
  const rows = Object.values(manifest as unknown as Record<string, Manifest['functions']>).flatMap((group) => Object.entries(group));
  return new Map(rows.flatMap(([name, row]) => Object.entries(row).map(([field, value]): [string, string] => [`${name}.${field}`, JSON.stringify(value)])));
}

/** A trigger is a field of its own; everything else stands there as it is deployed, so that a new option is seen, too. */
function toRow(endpoint: Record<string, unknown>): Record<string, unknown> {
  const { entryPoint: _entryPoint, platform, secretEnvironmentVariables = [], labels, ...rest } = endpoint;
  const trigger = Object.keys(rest).find((field) => field.endsWith('Trigger'))!;
  const { [trigger]: about, ...given } = rest;
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const { invoker = 'public', ...more } = about as { invoker?: unknown };
  const called = ['callableTrigger', 'httpsTrigger'].includes(trigger);
  return {
    trigger: trigger.replace('Trigger', ''), ...(called ? { invoker } : {}), ...more, platform, secrets: (secretEnvironmentVariables as { key: string }[]).map(({ key }) => key), ...options,
    ...(Object.keys(labels as object).length > 0 ? { labels } : {}),
  };
}

/** What the platform is not told: who may call an operation, and whether the App Check token of a call is used up. */
function accessOf(name: string): Record<string, unknown> {
  const op: Operation | undefined = Object.hasOwn(operations, name) ? operations[name as keyof typeof operations] : undefined;
  if (name === 'api') return { access: 'as the operation of the route', appCheck: 'as the operation of the route' };
  if (op === undefined) return {};
  return { access: op.access, appCheck: op.replayProtected ? 'by parameter, token used up' : 'by parameter', ...(op.maxBodyBytes ? { maxBodyBytes: op.maxBodyBytes } : {}) };
}

function sorted<T>(rows: [string, T][]): Record<string, T> {
  return Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
