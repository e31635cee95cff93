const earliest = Date.UTC(2000, 0, 1);
/** How far ahead of this machine a clock may have been, ms. */
const mostAheadMs = 24 * 60 * 60_000;
/** Smaller numbers are seconds: as ms they would be in 1973. */
const leastMs = 100_000_000_000;

/** What a session begins with of which no moment is known at all: the same in every run. */
export const unknownMoment = earliest;

const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d+))?)?\s*(?:(Z)|([+-]\d{2}):?(\d{2}))?$/i;

/**
 * ms since the epoch of a legacy moment: ISO 8601, where one without a zone is UTC, or seconds or ms since the epoch, as a
 * number or a text. Null for anything else, and for moments that no session was played at.
 */
export function toMillis(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined || value === '') return null;
  const number = typeof value === 'number' ? value : Number(value);
  const ms = Number.isFinite(number) ? Math.round(Math.abs(number) < leastMs ? number * 1000 : number) : fromIso(String(value).trim());
  return ms >= earliest && ms <= Date.now() + mostAheadMs ? ms : null;
}

function fromIso(text: string): number {
  const [, day, minutes = '00:00', seconds = ':00', fraction = '', , hours, rest] = iso.exec(text) ?? [];
  if (day === undefined) return Number.NaN;
  return Date.parse(`${day}T${minutes}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${hours === undefined ? 'Z' : `${hours}:${rest}`}`);
}

/** The earliest of some legacy moments; null when none of them is one. */
export function earliestOf(...values: Parameters<typeof toMillis>[0][]): number | null {
  return values.map(toMillis).reduce((least, ms) => (ms !== null && (least === null || ms < least) ? ms : least), null);
}

/** The latest of some legacy moments; null when none of them is one. */
export function latestOf(...values: Parameters<typeof toMillis>[0][]): number | null {
  return values.map(toMillis).reduce((most, ms) => (ms !== null && (most === null || ms > most) ? ms : most), null);
}
