/** A log entry as Cloud Logging keeps it. */
export interface Entry {
  severity: string;
  resource: { type: string };
  jsonPayload: Record<string, unknown>;
}

const severities = ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY'];

/** What the platform makes of a line that a function prints. The trigger of new accounts is of the first generation, which is a resource of its own. */
export function toEntry(printed: Record<string, unknown>): Entry {
  const { severity, ...jsonPayload } = printed;
  return { severity: String(severity), resource: { type: jsonPayload['trigger'] === 'createUserDocument' ? 'cloud_function' : 'cloud_run_revision' }, jsonPayload };
}

/** One comparison of a filter. `:*` asks whether the field is there. */
export interface Comparison {
  negated: boolean;
  field: string;
  operator: '=' | '>=' | '<=' | '>' | '<' | ':*';
  /** Any of them will do. */
  values: string[];
}

const comparison = /^(NOT )?([\w.]+)(?:(:\*)|(>=|<=|=|>|<)(?:"([^"]*)"|(-?\w+)|\(("[^"]*"(?: OR "[^"]*")*)\)))$/;

/**
 * Reads the part of the Logging query language that our metrics use: comparisons joined by AND.
 * @throws Error for anything else.
 */
export function parseFilter(filter: string): Comparison[] {
  return filter.split(' AND ').map((part) => {
    const [whole, negated, field = '', exists, operator, quoted, bare, any] = comparison.exec(part) ?? [];
    if (whole === undefined) throw new Error(`cannot read ${part}`);
    const values = any === undefined ? [quoted ?? bare ?? ''] : [...any.matchAll(/"([^"]*)"/g)].map(([, value]) => value!);
    return { negated: negated !== undefined, field, operator: (exists ?? operator) as Comparison['operator'], values };
  });
}

/** The value of a field of an entry, by its path; undefined where there is none. */
export function valueOf(entry: Entry, field: string): unknown {
  return field.split('.').reduce<unknown>((value, name) => (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined), entry);
}

/** Whether an entry passes a filter. A field that is not there passes no comparison. */
export function matches(filter: string, entry: Entry): boolean {
  return parseFilter(filter).every(({ negated, field, operator, values }) => values.some((value) => holds(valueOf(entry, field), operator, value, field)) !== negated);
}

function holds(found: unknown, operator: Comparison['operator'], wanted: string, field: string): boolean {
  if (found === undefined) return false;
  if (operator === ':*') return true;
  if (operator === '=') return typeof found !== 'object' && `${found as string | number}` === wanted;
  const [left, right] = field === 'severity' ? [severities.indexOf(found as string), severities.indexOf(wanted)] : [found, Number(wanted)];
  if (typeof left !== 'number') return false;
  return { '>=': left >= right, '<=': left <= right, '>': left > right, '<': left < right }[operator];
}

/** The value that an extractor takes from an entry. @throws Error for one that is no plain EXTRACT. */
export function extracted(extractor: string, entry: Entry): unknown {
  const [, field] = /^EXTRACT\(([\w.]+)\)$/.exec(extractor) ?? [];
  if (field === undefined) throw new Error(`cannot read ${extractor}`);
  return valueOf(entry, field);
}
