import { UserError } from '../errors.ts';
import type { Alert, Dashboard, Metric } from './definitions.ts';

/** What is to be there. */
export interface Wanted {
  metrics: Record<string, Metric>;
  alerts: Record<string, Alert>;
  dashboard: Dashboard;
  /** What to do at each alert, by its name. */
  runbook: Record<string, string>;
  /** Resource names of notification channels; none: those that a policy has stay, a new one has none. */
  channels: string[];
}

/** What is there, as `gcloud … list --format=json` tells it. */
export interface Existing {
  metrics: { name: string }[];
  policies: { name: string; displayName: string; notificationChannels?: string[] }[];
  dashboards: { name: string; displayName: string; etag: string }[];
}

/** A command of gcloud, which takes what it makes from a file. */
export interface Command {
  args: string[];
  /** The option that names the file, the file's name and its content. */
  option: string;
  file: string;
  content: object;
}

/**
 * The commands that make everything what it should be: created where it is missing, updated where it is there, so that
 * repeating them changes nothing. Metrics first: a policy can only be made of those that exist.
 * @throws UserError for an alert that nobody would know what to do at.
 */
export function planOf({ metrics, alerts, dashboard, runbook, channels }: Wanted, existing: Existing): Command[] {
  return [
    ...Object.entries(metrics).map(([name, content]): Command => {
      const known = existing.metrics.some((each) => each.name === name);
      return { args: ['logging', 'metrics', known ? 'update' : 'create', name], option: '--config-from-file', file: `${name}.json`, content };
    }),
    ...Object.entries(alerts).map(([name, alert]): Command => {
      const known = only(existing.policies, alert.displayName);
      const text = runbook[name];
      if (text === undefined) throw new UserError(`docs/operations.md has no heading for the alert ${name}.`);
      const notificationChannels = channels.length > 0 ? channels : known?.notificationChannels ?? [];
      const content = { ...alert, documentation: { ...alert.documentation, content: text }, notificationChannels };
      return { args: ['monitoring', 'policies', ...(known ? ['update', known.name] : ['create'])], option: '--policy-from-file', file: `${name}.json`, content };
    }),
    dashboardCommand(dashboard, only(existing.dashboards, dashboard.displayName)),
  ];
}

function dashboardCommand(dashboard: Dashboard, known: Existing['dashboards'][number] | undefined): Command {
  const args = ['monitoring', 'dashboards', ...(known ? ['update', known.name] : ['create'])];
  return { args, option: '--config-from-file', file: 'dashboard.json', content: known ? { ...dashboard, etag: known.etag } : dashboard };
}

/** Names are not unique. @throws UserError for two of the same name: nobody could say which one is ours. */
function only<T extends { displayName: string }>(all: T[], displayName: string): T | undefined {
  const found = all.filter((each) => each.displayName === displayName);
  if (found.length > 1) throw new UserError(`There are ${found.length} called "${displayName}". Delete those that are not ours, and run the command again.`);
  return found[0];
}
