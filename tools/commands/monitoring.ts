import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runCommand, UserError } from '../errors.ts';
import { alerts, dashboard, metrics } from '../monitoring/definitions.ts';
import { HELP, readOptions, type Options } from '../monitoring/options.ts';
import { planOf, type Command, type Existing } from '../monitoring/plan.ts';
import { alertSections, readRunbook } from '../monitoring/runbook.ts';
import { CACHE, ROOT } from '../paths.ts';

const files = join(CACHE, 'monitoring');

/** @throws UserError when there is no gcloud, or when it fails, with what it says. */
function gcloud(args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('gcloud', args, { encoding: 'utf8' });
  if (error) throw new UserError('There is no gcloud on the PATH: install the Google Cloud CLI, run gcloud auth login, and try again.');
  if (status === 0) return stdout;
  const hint = /cannot find metric/i.test(stderr) ? ' A new metric can be used only some minutes after it was made: run the command again in ten.' : '';
  throw new UserError(`gcloud ${args.join(' ')}: ${stderr.trim()}${hint}`);
}

function list<T>(project: string, what: string[]): T[] {
  return JSON.parse(gcloud([...what, 'list', `--project=${project}`, '--format=json']).trim() || '[]') as T[];
}

function existingIn(project: string): Existing {
  return { metrics: list(project, ['logging', 'metrics']), policies: list(project, ['monitoring', 'policies']), dashboards: list(project, ['monitoring', 'dashboards']) };
}

function carryOut({ args, option, file, content }: Command, { project, dryRun }: Options): void {
  const path = join(files, args[1]!, file);
  mkdirSync(join(files, args[1]!), { recursive: true });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  const command = [...args, `--project=${project}`, `${option}=${relative(ROOT, path)}`, '--quiet'];
  console.log(`gcloud ${command.join(' ')}`);
  if (!dryRun) gcloud(command);
}

await runCommand(() => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return Promise.resolve(0);
  }
  const wanted = { metrics: metrics(), alerts: alerts(), dashboard: dashboard(), runbook: alertSections(readRunbook()), channels: options.channels };
  const plan = planOf(wanted, existingIn(options.project));
  for (const command of plan) carryOut(command, options);
  console.log(options.dryRun ? `${plan.length} commands; nothing was changed` : `${plan.length} of metrics, alerts and dashboards are what they should be`);
  return Promise.resolve(0);
});
