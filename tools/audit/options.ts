import { parseArgs } from 'node:util';
import { UserError } from '../errors.ts';

/** What `npm run audit -- ...` was asked for. */
export interface Options {
  /** A real project; null: the emulators of `npm start`. */
  project: string | null;
  /** Only this user's agents. */
  user: string | null;
  /** Only this agent. */
  agent: string | null;
  repair: boolean;
  json: boolean;
  help: boolean;
}

/** What --help prints. */
export const HELP = `npm run audit [-- OPTIONS]

Checks that ledger, lots, holds, sessions and users agree, and says what does not. Changes nothing without --repair.

  --project ID   a real project, with your application default credentials; the emulators of npm start otherwise
  --user UID     only the agents of this user
  --agent ID     only this agent; with --user it is found without looking at all of them
  --repair       puts right what follows from the ledger (never the ledger itself), and audits again
  --json         JSON lines: a drift, a repair or the summary each
  --help         this text

Exit code: 0 nothing is wrong, 1 something is, 2 the audit could not run.`;

const USAGE = 'the options are --project ID, --user UID, --agent ID, --repair, --json and --help';

/** @throws UserError for anything unknown or empty. */
export function readOptions(args: string[]): Options {
  const { project, user, agent, ...flags } = parse(args);
  for (const [name, value] of Object.entries({ project, user, agent })) {
    if (value === '' || value?.includes('/')) throw new UserError(`--${name} needs an id: ${USAGE}.`);
  }
  const { repair = false, json = false, help = false } = flags;
  return { project: project ?? null, user: user ?? null, agent: agent ?? null, repair, json, help };
}

type Parsed = Partial<Record<'project' | 'user' | 'agent', string | undefined>> & Partial<Record<'repair' | 'json' | 'help', boolean | undefined>>;

function parse(args: string[]): Parsed {
  try {
    const [text, flag] = [{ type: 'string' } as const, { type: 'boolean' } as const];
    return parseArgs({ args, options: { project: text, user: text, agent: text, repair: flag, json: flag, help: flag } }).values;
  } catch (error) {
    // Node's sentences after the first are about positional arguments, which there are none of.
    const problem = error instanceof Error ? error.message.split(/\.\s|\n/)[0] : String(error);
    throw new UserError(`${problem}: ${USAGE}.`);
  }
}
