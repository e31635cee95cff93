import { parseArgs } from 'node:util';
import { UserError } from '../errors.ts';

/** What `npm run monitoring -- ...` was asked for. */
export interface Options {
  project: string;
  /** Resource names of the notification channels that alerts go to. */
  channels: string[];
  dryRun: boolean;
  help: boolean;
}

/** What --help prints. */
export const HELP = `npm run monitoring -- --project ID [OPTIONS]

Makes the metrics, alert policies and the dashboard of tools/monitoring what they should be, with the gcloud that is
installed and signed in. Safe to repeat. Nothing is ever deleted.

  --project ID     the project
  --channel NAME   a notification channel for all alerts, projects/ID/notificationChannels/NUMBER; may be given again.
                   Without it the alerts keep the channels that they have
  --dry-run        only looks, and prints the commands that would change something
  --help           this text`;

/** @throws UserError for anything unknown or missing. */
export function readOptions(args: string[]): Options {
  const { project, channel: channels = [], 'dry-run': dryRun = false, help = false } = parse(args);
  if (!help && !/^[a-z][a-z0-9:.-]+$/.test(project ?? '')) throw new UserError('Say which project: npm run monitoring -- --project ID.');
  for (const channel of channels) {
    if (!/^projects\/[^/\s]+\/notificationChannels\/\d+$/.test(channel)) throw new UserError(`--channel ${channel}: name it as projects/ID/notificationChannels/NUMBER. gcloud beta monitoring channels list shows them.`);
  }
  return { project: project ?? '', channels, dryRun, help };
}

interface Parsed { project?: string | undefined; channel?: string[] | undefined; 'dry-run'?: boolean | undefined; help?: boolean | undefined }

function parse(args: string[]): Parsed {
  try {
    return parseArgs({ args, options: { project: { type: 'string' }, channel: { type: 'string', multiple: true }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message.split(/\.\s|\n/)[0] : String(error)}: the options are --project ID, --channel NAME, --dry-run and --help.`);
  }
}
