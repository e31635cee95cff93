import { AppError } from './errors.ts';

/** Where a page of a list ended. */
export interface Position {
  /** What the list is ordered by: a whole number from 0 up to 14 digits. */
  order: number;
  /** An id that breaks ties, or names the list that the cursor belongs to. */
  id: string;
}

/** An opaque cursor that continues after this position. */
export function toCursor({ order, id }: Position): string {
  return Buffer.from(`${order}:${id}`).toString('base64url');
}

/**
 * Reads a cursor.
 * @throws AppError `invalid-argument` for anything that toCursor did not make.
 */
export function parseCursor(cursor: string): Position {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const match = /^(0|[1-9]\d{0,13}):([A-Za-z0-9_-]{1,64})$/.exec(text);
  if (!match || Buffer.from(text).toString('base64url') !== cursor) throw badCursor();
  return { order: Number(match[1]), id: match[2]! };
}

/**
 * Reads a cursor of the list that `id` names.
 * @throws AppError `invalid-argument` as parseCursor does, and for the cursor of another list.
 */
export function parseCursorOf(id: string, cursor: string): number {
  const position = parseCursor(cursor);
  if (position.id !== id) throw badCursor();
  return position.order;
}

function badCursor(): AppError {
  return new AppError('invalid-argument', 'The cursor is not valid. Use nextCursor as it was returned.', { reason: 'bad_input' });
}
