/** The query parameters of the REST interface. */

import { DataError } from './errors.ts';
import { MAX_KEY, MIN_KEY } from './order.ts';
import { makeBound, parseIndex, parseLimit, type Bound, type Query } from './query.ts';

const FILTERS = ['startAt', 'startAfter', 'endAt', 'endBefore', 'equalTo', 'limitToFirst', 'limitToLast'];

/** Reads the query of a URL; null when there is none. */
export function queryFromUrl(parameters: URLSearchParams): Query | null {
  const orderBy = parameters.get('orderBy');
  if (orderBy === null) {
    if (FILTERS.some((name) => parameters.has(name))) throw new DataError('orderBy must be defined when other query parameters are defined');
    return null;
  }
  const query: Query = { index: parseIndex(parseValues('orderBy', orderBy)[0], '$'), ordered: true };
  const bound = (name: string, inclusive: boolean, outermost?: string): Bound | undefined => {
    const text = parameters.get(name);
    if (text === null) return undefined;
    const [value, key] = parseValues(name, text);
    // Without a key, an exclusive bound leaves out every child that has its value.
    return makeBound(query.index, value, key ?? (query.index.kind === 'key' ? undefined : outermost), inclusive);
  };
  const start = bound('equalTo', true) ?? bound('startAt', true) ?? bound('startAfter', false, MAX_KEY);
  const end = bound('equalTo', true) ?? bound('endAt', true) ?? bound('endBefore', false, MIN_KEY);
  if (start) query.start = start;
  if (end) query.end = end;
  readLimit(parameters, query);
  return query;
}

function readLimit(parameters: URLSearchParams, query: Query): void {
  const first = parameters.get('limitToFirst');
  const last = parameters.get('limitToLast');
  if (first !== null && last !== null) throw new DataError('limitToFirst and limitToLast cannot be combined');
  if (first !== null) query.limit = { count: parseLimit(Number(first)), from: 'start' };
  if (last !== null) query.limit = { count: parseLimit(Number(last)), from: 'end' };
}

/** A value, which may be followed by a comma and a key. */
function parseValues(name: string, text: string): unknown[] {
  try {
    return JSON.parse(`[${text}]`) as unknown[];
  } catch {
    throw new DataError(`${name} must be a valid JSON encoded path`);
  }
}
