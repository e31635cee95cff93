import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ownersSchema } from '../../functions/src/imports/legacy-schema.ts';
import { UserError } from '../errors.ts';
import { BrokenFile } from './broken.ts';
import { parseJson } from './json.ts';

/** What `npm run migrate -- ...` was asked for. */
export interface Options {
  /** Folder that holds a folder for each session. */
  from: string;
  /** A real project; null: the emulators of `npm start`. */
  project: string | null;
  /** Account for each legacy id and e-mail address, addresses in lower case. */
  owners: ReadonlyMap<string, string>;
  /** Account that owns the sessions of nobody. */
  owner: string | null;
  /** File for the report. */
  output: string | null;
  dryRun: boolean;
}

/** What --help prints. */
export const HELP = `npm run migrate -- --from DIR [OPTIONS]

Imports sessions in the layout campaign_storage/<session_id>/... as ended sessions of their owners. What is here already
is left alone, so it can be run again at any time.

  --from DIR      the folder that holds a folder for each session
  --dry-run       looks at everything and writes no session
  --output FILE   writes the report, which names every file; it has e-mail addresses, what is printed has none
  --owners FILE   JSON: { "<legacy id or e-mail address>": "<uid>" }; others are found by a verified e-mail address, or by id
  --owner UID     the account that owns sessions of which nobody is known to be the owner, such as \`default\`
  --project ID    a real project, with your application default credentials; the emulators of npm start otherwise
  --help          this text

Exit code: 0 nothing is broken, 1 something is, 2 it could not run.`;

const USAGE = 'npm run migrate -- --help lists the options';

/** The options; null when help was asked for. @throws UserError for anything unknown, empty or missing, and for files that cannot be used. */
export function readOptions(args: string[]): Options | null {
  const { help, 'dry-run': dryRun = false, from, project, owner, owners, output } = parse(args);
  if (help) return null;
  for (const [name, value] of Object.entries({ from, project, owner, owners, output })) if (value === '') throw new UserError(`--${name} is empty: ${USAGE}.`);
  for (const [name, value] of Object.entries({ project, owner })) if (value?.includes('/')) throw new UserError(`--${name} needs an id: ${USAGE}.`);
  if (from === undefined) throw new UserError(`--from is missing: ${USAGE}.`);
  requireRoot(from);
  if (output !== undefined) requirePlace(output);
  return { from: resolve(from), project: project ?? null, owner: owner ?? null, owners: owners === undefined ? new Map() : readOwners(owners), output: output === undefined ? null : resolve(output), dryRun };
}

type Parsed = Partial<Record<'from' | 'project' | 'owner' | 'owners' | 'output', string | undefined>> & Partial<Record<'dry-run' | 'help', boolean | undefined>>;

function parse(args: string[]): Parsed {
  try {
    const [text, flag] = [{ type: 'string' } as const, { type: 'boolean' } as const];
    return parseArgs({ args, options: { from: text, project: text, owner: text, owners: text, output: text, 'dry-run': flag, help: flag } }).values;
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message.split(/\.\s|\n/)[0] : String(error)}: ${USAGE}.`);
  }
}

function requireRoot(from: string): void {
  if (!isFolder(from)) throw new UserError(`There is no folder ${from}.`);
  const inside = ['metadata.json', 'chat_history.json', join('logs', 'chat_history.json')].find((name) => statSync(join(from, name), { throwIfNoEntry: false }));
  if (inside !== undefined) throw new UserError(`${from} is the folder of one session (it has ${inside}): name the folder that it lies in.`);
}

function requirePlace(output: string): void {
  if (isFolder(output)) throw new UserError(`--output needs a file, and ${output} is a folder.`);
  if (!isFolder(dirname(resolve(output)))) throw new UserError(`There is no folder ${dirname(resolve(output))} for the report.`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readOwners(file: string): Map<string, string> {
  try {
    const owners = Object.entries(parseJson(file, readFileSync(file), ownersSchema));
    return new Map(owners.map(([name, uid]) => [name.includes('@') ? name.trim().toLowerCase() : name.trim(), uid]));
  } catch (error) {
    throw new UserError(`--owners cannot be used: ${error instanceof BrokenFile ? error.message : `${file} cannot be read`}.`);
  }
}
