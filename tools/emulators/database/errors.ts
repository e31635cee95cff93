/** The refusals that a client may be told about. */

/** Data, a path or a query that the database cannot accept. */
export class DataError extends Error {}

/** The security rules refuse the operation. */
export class PermissionError extends Error {
  constructor() {
    super('Permission denied');
  }
}

/** The data changed since the client computed its new value. */
export class StaleError extends Error {
  constructor() {
    super('Transaction hash does not match');
  }
}

/** A credential that is malformed or out of date. */
export class TokenError extends Error {
  readonly status: 'invalid_token' | 'expired_token';

  constructor(status: 'invalid_token' | 'expired_token', message: string) {
    super(message);
    this.status = status;
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
