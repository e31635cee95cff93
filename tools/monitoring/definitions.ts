import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.ts';

/** A log-based metric, as far as we read it; the file is what `gcloud logging metrics create --config-from-file` takes. */
export interface Metric {
  name: string;
  filter: string;
  metricDescriptor: { valueType: 'INT64' | 'DISTRIBUTION'; labels?: { key: string }[] };
  valueExtractor?: string;
  labelExtractors?: Record<string, string>;
  bucketOptions?: { explicitBuckets: { bounds: number[] } };
}

/** What a condition or a chart asks of a metric. */
export interface Condition {
  filter: string;
  denominatorFilter?: string;
  thresholdValue?: number;
}

/** An alert policy, as far as we read it; the file is what `gcloud monitoring policies create --policy-from-file` takes. */
export interface Alert {
  displayName: string;
  documentation: { mimeType: string; content: string };
  conditions: { displayName: string; conditionThreshold?: Condition; conditionAbsent?: Condition }[];
  notificationChannels?: string[];
}

/** The dashboard, as far as we read it. */
export interface Dashboard {
  displayName: string;
  etag?: string;
  mosaicLayout: { tiles: { widget: { xyChart: { dataSets: { timeSeriesQuery: { timeSeriesFilter: { filter: string; aggregation: { groupByFields?: string[] } } } }[] } } }[] };
}

const FOLDER = join(ROOT, 'tools', 'monitoring');

function read<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8')) as T;
}

function readAll<T>(folder: string): Record<string, T> {
  return Object.fromEntries(readdirSync(join(FOLDER, folder)).sort().map((file) => [file.replace('.json', ''), read<T>(folder, file)]));
}

/** All metrics, by the name of their file. */
export const metrics = (): Record<string, Metric> => readAll('metrics');

/** All alert policies, by the name of their file, which is their heading in docs/operations.md. */
export const alerts = (): Record<string, Alert> => readAll('alerts');

/** The dashboard. */
export const dashboard = (): Dashboard => read('dashboard.json');
