import { seamless } from '../credits/lines.ts';
import type { UsageLine } from '../credits/schema.ts';
import type { RequestRecord } from './requests.ts';

/** The closed requests between two totals of a session as lines of its receipt; `now` (ms) dates what no record explains. */
export function toUsageLines(records: Record<string, RequestRecord>, from: number, to: number, now: number): UsageLine[] {
  return seamless(Object.entries(records).flatMap(([key, record]) => toLine(key, record)), from, to, now);
}

/** A closed request, which stands at `key`, as a line; none for one that still runs or cost nothing. */
export function toLine(key: string, record: RequestRecord): UsageLine[] {
  const { state, turnId, expiresAt, cost = 0, consumed = 0, outcome = 'cut', estimated = false, provider, model, input, usage, by, requestId = key } = record;
  if (state !== 'done' || cost === 0) return [];
  return [{
    requestId, turnId, at: expiresAt, from: consumed - cost, to: consumed, outcome, estimated, provider: provider ?? 'unknown', model,
    input: JSON.parse(input) as UsageLine['input'], usage: JSON.parse(usage ?? '{}') as UsageLine['usage'], ...(by === undefined ? {} : { by }),
  }];
}
