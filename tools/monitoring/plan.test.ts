import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { NODE, ROOT } from '../paths.ts';
import { alerts, dashboard, metrics, type Alert, type Dashboard } from './definitions.ts';
import { readOptions } from './options.ts';
import { planOf, type Existing } from './plan.ts';
import { alertSections, readRunbook } from './runbook.ts';

const wanted = { metrics: metrics(), alerts: alerts(), dashboard: dashboard(), runbook: alertSections(readRunbook()), channels: [] as string[] };
const nothing: Existing = { metrics: [], policies: [], dashboards: [] };
const channel = 'projects/p/notificationChannels/7';
const everything: Existing = {
  metrics: Object.keys(wanted.metrics).map((name) => ({ name })),
  policies: Object.entries(wanted.alerts).map(([name, { displayName }]) => ({ name: `projects/p/alertPolicies/${name}`, displayName, notificationChannels: [channel] })),
  dashboards: [{ name: 'projects/p/dashboards/1', displayName: 'JIGA', etag: 'e1' }],
};
const actions = (existing: Existing): string[] => [...new Set(planOf(wanted, existing).map(({ args }) => `${args[1]} ${args[2]}`))];

describe('the plan of what is monitored', () => {
  it('makes what is missing, metrics before what is made of them', () => {
    assert.deepEqual(actions(nothing), ['metrics create', 'policies create', 'dashboards create']);
    assert.deepEqual(planOf(wanted, nothing).map(({ file }) => file), [...Object.keys(wanted.metrics), ...Object.keys(wanted.alerts), 'dashboard'].map((name) => `${name}.json`));
  });

  it('brings what is there up to date, by the names that it has', () => {
    assert.deepEqual(actions(everything), ['metrics update', 'policies update', 'dashboards update']);
    const plan = planOf(wanted, everything);
    assert.deepEqual(plan.find(({ file }) => file === 'ledger-drift.json')!.args, ['monitoring', 'policies', 'update', 'projects/p/alertPolicies/ledger-drift']);
    assert.equal((plan.at(-1)!.content as Dashboard).etag, 'e1');
  });

  it('gives each alert what to do, and the channels that are named, or leaves those that it has', () => {
    const alertOf = (channels: string[], existing: Existing): Alert => planOf({ ...wanted, channels }, existing).find(({ file }) => file === 'outbox-age.json')!.content as Alert;
    assert.equal(alertOf([], nothing).documentation.content, wanted.runbook['outbox-age']);
    assert.deepEqual([alertOf([], nothing), alertOf([], everything), alertOf(['projects/p/notificationChannels/8'], everything)].map(({ notificationChannels }) => notificationChannels), [[], [channel], ['projects/p/notificationChannels/8']]);
  });

  it('touches nothing where it cannot say which one is ours, or what to do at an alert', () => {
    const twice = { ...everything, policies: [...everything.policies, { name: 'projects/p/alertPolicies/x', displayName: 'JIGA: Ledger drift' }] };
    assert.throws(() => planOf(wanted, twice), /There are 2 called "JIGA: Ledger drift"/);
    assert.throws(() => planOf({ ...wanted, runbook: {} }, nothing), /no heading for the alert api-latency/);
  });
});

describe('npm run monitoring', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'gcloud-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the command with a gcloud that says what is there and writes down what it is asked for. */
  function run(args: string[], { existing = nothing, fails = '' }: { existing?: Existing; fails?: string } = {}): { status: number | null; output: string; calls: string[] } {
    const record = join(folder, 'calls');
    const answers = { 'logging metrics': existing.metrics, 'monitoring policies': existing.policies, 'monitoring dashboards': existing.dashboards };
    writeFileSync(record, '');
    writeFileSync(join(folder, 'gcloud'), `#!${NODE}
const { appendFileSync, readFileSync } = require('node:fs');
const args = process.argv.slice(2);
if (args[2] === 'list') console.log(JSON.stringify((${JSON.stringify(answers)})[args.slice(0, 2).join(' ')]));
else {
  JSON.parse(readFileSync(args.find((each) => each.includes('-from-file=')).split('=')[1], 'utf8'));
  if (${JSON.stringify(fails)} && args[1] === ${JSON.stringify(fails)}) { console.error('NOT_FOUND: Cannot find metric that matches type'); process.exit(1); }
}
appendFileSync(${JSON.stringify(record)}, args.join(' ') + '\\n');
`);
    chmodSync(join(folder, 'gcloud'), 0o755);
    const { status, stdout, stderr } = spawnSync(NODE, [join(ROOT, 'tools', 'commands', 'monitoring.ts'), ...args], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` } });
    return { status, output: stdout + stderr, calls: readFileSync(record, 'utf8').split('\n').filter(Boolean) };
  }
  const lists = ['logging metrics list --project=p-1 --format=json', 'monitoring policies list --project=p-1 --format=json', 'monitoring dashboards list --project=p-1 --format=json'];
  const count = Object.keys(wanted.metrics).length + Object.keys(wanted.alerts).length + 1;

  it('asks gcloud for everything, and says so', () => {
    const { status, output, calls } = run(['--project', 'p-1', '--channel', channel]);
    assert.deepEqual([status, calls.slice(0, 3), calls.length], [0, lists, 3 + count], output);
    assert.equal(calls[3], 'logging metrics create jiga_api_calls --project=p-1 --config-from-file=.cache/monitoring/metrics/jiga_api_calls.json --quiet');
    assert.equal(calls.at(-2), 'monitoring policies create --project=p-1 --policy-from-file=.cache/monitoring/policies/settle-lag.json --quiet');
    assert.equal(calls.at(-1), 'monitoring dashboards create --project=p-1 --config-from-file=.cache/monitoring/dashboards/dashboard.json --quiet');
    assert.deepEqual((JSON.parse(readFileSync(join(ROOT, '.cache/monitoring/policies/settle-lag.json'), 'utf8')) as Alert).notificationChannels, [channel]);
    assert.deepEqual(output.trim().split('\n').slice(0, -1), calls.slice(3).map((call) => `gcloud ${call}`));
  });

  it('only looks in a dry run', () => {
    const { status, output, calls } = run(['--project', 'p-1', '--dry-run'], { existing: everything });
    assert.deepEqual([status, calls], [0, lists], output);
    assert.match(output, /^gcloud logging metrics update jiga_api_calls /);
    assert.match(output, /nothing was changed\n$/);
  });

  it('stops at what gcloud refuses, and says what to do about a metric that is too new', () => {
    const { status, output, calls } = run(['--project', 'p-1'], { fails: 'policies' });
    assert.deepEqual([status, calls.length], [1, 3 + Object.keys(wanted.metrics).length]);
    assert.match(output, /Cannot find metric.*run the command again in ten/s);
  });

  it('says what is wrong with its options', () => {
    assert.throws(() => readOptions([]), /Say which project/);
    assert.throws(() => readOptions(['--project', 'p-1', '--channel', 'me@example.com']), /name it as projects\/ID\/notificationChannels\/NUMBER/);
    assert.throws(() => readOptions(['--projekt', 'p']), /Unknown option '--projekt'.*the options are/);
    assert.equal(readOptions(['--help']).help, true);
  });
});
