import assert from 'node:assert/strict';
import { lines } from '../../functions/src/runtime/lines.ts';
import type { Written } from '../../functions/test/printed.ts';
import { playADay } from '../../functions/test/written-lines.ts';
import { alerts, dashboard, metrics, type Condition, type Metric } from './definitions.ts';
import { extracted, matches, parseFilter, toEntry, type Entry } from './filter.ts';

const all = metrics();
const conditionsOf = (alert: ReturnType<typeof alerts>[string]): Condition[] => alert.conditions.map(({ conditionThreshold, conditionAbsent }) => conditionThreshold ?? conditionAbsent!);

/** What each metric counts or measures on the day that is played: its name, the labels and the values. */
const wanted: Record<string, unknown[]> = {
  jiga_api_calls: ['startSession ok', 'getSession ok', 'getSession not-found', 'getSession internal', 'grantDofs ok', 'voidGrant ok', 'adjustBalance ok', 'placeHold ok', 'postHold ok', 'startSession unavailable', 'startSession unavailable'],
  jiga_api_errors: ['getSession', 'startSession'],
  jiga_transactions: ['agent.dofs_granted', 'settlement', 'settlement', 'settlement', 'agent.dofs_granted', 'agent.grant_voided', 'agent.balance_adjusted', 'hold.posted', 'settlement'],
  jiga_transaction_amount: ['agent.dofs_granted 2000000', 'settlement 32', 'settlement 32', 'settlement 0', 'agent.dofs_granted 50', 'agent.grant_voided 50', 'agent.balance_adjusted -7', 'hold.posted 4', 'settlement 0'],
  jiga_dofs_consumed: ['gemini 32', 'gemini 32', 'gemini 0', 'gemini 0'],
  jiga_session_duration: ['user 1000', 'idle 2400000'],
  jiga_session_dofs: ['user 64', 'idle 0'],
  jiga_sweeps: ['', '', ''],
  jiga_outbox_age: ['0', '1201000', '0'],
  jiga_platform_balance: ['1999925', '1999925', '1999925'],
  jiga_sweep_failures: ['ended'],
  jiga_trigger_failures: ['settleCheckpoint', 'createUserDocument'],
  jiga_ledger_drift: ['user.activeSessions'],
};

function seenBy({ filter, labelExtractors = {}, valueExtractor }: Metric, entries: Entry[]): string[] {
  const extractors = [...Object.values(labelExtractors), ...(valueExtractor === undefined ? [] : [valueExtractor])];
  return entries.filter((entry) => matches(filter, entry)).map((entry) => extractors.map((each) => shown(each, extracted(each, entry))).join(' '));
}

/** Times to the second: how long the network takes in between is not what is asked here. */
function shown(extractor: string, value: unknown): string {
  return typeof value === 'number' && extractor.endsWith('Ms)') ? String(Math.floor(value / 1_000) * 1_000) : String(value);
}

describe('the metrics of the log', () => {
  let written: Written[];
  let entries: Entry[];
  before(async function () {
    this.timeout(60_000);
    written = await playADay();
    entries = written.map(toEntry);
  });

  it('count every fact of a day once, with its labels and values', () => {
    const { jiga_api_duration: duration, jiga_settle_lag: lags, ...seen } = Object.fromEntries(Object.entries(all).map(([name, metric]) => [name, seenBy(metric, entries)]));
    assert.deepEqual(seen, wanted);
    assert.deepEqual(duration!.map((each) => each.split(' ')[0]), seen['jiga_api_calls']!.map((each) => each.split(' ')[0]));
    for (const each of duration!) assert.match(each, /^\w+ \d+$/);
    // Those that no call settled at once: at the end of a session whoever is first does.
    assert.ok(lags!.length >= 1 && lags!.length <= seen['jiga_dofs_consumed']!.length);
    assert.deepEqual([...new Set(lags)], ['0']);
  });

  it('are made from entries that are defined, each of one of them', () => {
    const defined = Object.values(lines).map(({ message }) => message);
    for (const [name, { filter }] of Object.entries(all)) {
      const messages = parseFilter(filter).filter(({ field }) => field === 'jsonPayload.message').flatMap(({ values }) => values);
      assert.equal(messages.length, 1, name);
      assert.ok(defined.includes(messages[0]!), `${name} is made from "${messages[0]}"`);
    }
    const used = new Set(entries.map(({ jsonPayload }) => jsonPayload['message']));
    assert.deepEqual(defined.filter((message) => !used.has(message)), [], 'every defined entry is written on that day');
  });

  it('know no field that is not written', () => {
    for (const [name, { filter, labelExtractors = {}, valueExtractor }] of Object.entries(all)) {
      const fields = parseFilter(filter).filter(({ operator, negated }) => operator !== ':*' || negated).map(({ field }) => `EXTRACT(${field})`);
      for (const extractor of [...fields, ...Object.values(labelExtractors), ...(valueExtractor === undefined ? [] : [valueExtractor])]) {
        assert.ok(entries.some((entry) => extracted(extractor, entry) !== undefined), `${name}: ${extractor}`);
      }
    }
  });

  it('would not be satisfied with a field of another name', () => {
    const renamed = { ...all['jiga_settle_lag']!, valueExtractor: 'EXTRACT(jsonPayload.lag)' };
    assert.deepEqual([...new Set(seenBy(renamed, entries))], ['undefined']);
  });

  it('have labels that stay few: no id of a session, an agent or a user', () => {
    for (const [name, { labelExtractors = {}, metricDescriptor: { labels = [] } }] of Object.entries(all)) {
      assert.deepEqual(Object.keys(labelExtractors), labels.map(({ key }) => key), name);
      for (const label of Object.values(labelExtractors)) assert.doesNotMatch(label, /sessionId|agentInstanceId|requestId|user/, name);
    }
  });

  it('are called as their files, and measure where they have a value', () => {
    for (const [name, metric] of Object.entries(all)) {
      assert.equal(metric.name, name);
      assert.equal(metric.metricDescriptor.valueType, metric.valueExtractor === undefined ? 'INT64' : 'DISTRIBUTION', name);
      const bounds = metric.bucketOptions?.explicitBuckets.bounds ?? [];
      assert.deepEqual(bounds, [...new Set(bounds)].sort((a, b) => a - b), name);
    }
  });
});

describe('the alerts', () => {
  it('ask for metrics and labels that there are', () => {
    for (const [name, alert] of Object.entries(alerts())) for (const condition of conditionsOf(alert)) for (const filter of [condition.filter, condition.denominatorFilter ?? condition.filter]) {
      const [, metric = ''] = /^metric\.type="logging\.googleapis\.com\/user\/(\w+)" AND resource\.type="(?:cloud_run_revision|cloud_function)"/.exec(filter) ?? [];
      assert.ok(all[metric], `${name}: ${filter}`);
      for (const [, label] of filter.matchAll(/metric\.labels\.(\w+)/g)) assert.ok(all[metric].labelExtractors?.[label!], `${name}: ${label}`);
    }
  });

  it('have thresholds at the bounds of what they measure, so that percentiles are exact there', () => {
    const thresholds = Object.values(alerts()).flatMap(conditionsOf).flatMap(({ filter, thresholdValue, denominatorFilter }) => {
      const metric = all[/user\/(\w+)"/.exec(filter)![1]!]!;
      return metric.bucketOptions && denominatorFilter === undefined ? [[metric.name, thresholdValue, metric.bucketOptions.explicitBuckets.bounds.includes(thresholdValue!)]] : [];
    });
    assert.deepEqual(thresholds.sort(), [['jiga_api_duration', 500, true], ['jiga_outbox_age', 300_000, true], ['jiga_platform_balance', 1_000_000, true], ['jiga_settle_lag', 60_000, true]]);
  });

  it('are those of the seed, and those of the books', () => {
    assert.deepEqual(Object.keys(alerts()), ['api-latency', 'background-work-failing', 'dof-balance-low', 'high-error-rate', 'ledger-drift', 'outbox-age', 'settle-lag']);
    const [rate] = conditionsOf(alerts()['high-error-rate']!);
    assert.deepEqual([rate!.thresholdValue, /user\/(\w+)"/.exec(rate!.denominatorFilter!)![1]], [0.01, 'jiga_api_calls']);
  });
});

describe('the dashboard', () => {
  it('shows every metric, by labels that there are', () => {
    const shown = dashboard().mosaicLayout.tiles.flatMap(({ widget }) => widget.xyChart.dataSets).map(({ timeSeriesQuery: { timeSeriesFilter } }) => timeSeriesFilter);
    const names = shown.map(({ filter }) => /user\/(\w+)"/.exec(filter)![1]!);
    assert.deepEqual([...new Set(names)].sort(), Object.keys(all));
    shown.forEach(({ aggregation: { groupByFields = [] } }, index) => {
      for (const field of groupByFields) assert.ok(all[names[index]!]!.labelExtractors?.[field.replace('metric.label.', '')], `${names[index]} ${field}`);
    });
  });
});
