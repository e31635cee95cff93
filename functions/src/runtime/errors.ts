import { placesOf, scrubbed } from './scrub.ts';
import { withoutSecrets } from './secrets.ts';

/**
 * The error that domain code throws. `code` is one of the gRPC status names that Firebase callables use;
 * `message` and `details` reach the client as they are, so neither may carry a secret, a stack or a foreign id.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** Machine-readable part of an error: `reason` is stable across releases, the rest depends on it. */
export type ErrorDetails = { reason: ErrorReason } & Record<string, unknown>;

/** Every reason a client may have to branch on. */
export const errorReasons = [
  'bad_input',
  'bad_media',
  'not_found',
  'signed_out',
  'not_admin',
  'not_owner',
  'no_dofs',
  'insufficient_dofs',
  'grant_closed',
  'hold_resolved',
  'too_many_lots',
  'too_many_holds',
  'dofs_exhausted',
  'member_cap',
  'spectator',
  'session_limit',
  'session_closed',
  'session_open',
  'session_superseded',
  'session_paused',
  'session_full',
  'invite_invalid',
  'invite_used',
  'too_many_invites',
  'owner_stays',
  'turn_in_progress',
  'request_in_progress',
  'request_conflict',
  'contention',
  'rate_limited',
  'app_check',
  'maintenance',
  'agent_unavailable',
  'provider_configuration',
  'provider_busy',
  'provider_unavailable',
  'provider_timeout',
  'voice_unavailable',
  'voice_quota',
  'voice_token_active',
  'not_ready',
  'internal',
] as const;

/** One of them. */
export type ErrorReason = (typeof errorReasons)[number];

/** HTTP status of each code, as in google.rpc.Code; the single map behind callables and REST. */
export const httpStatusOf = {
  'invalid-argument': 400,
  'failed-precondition': 400,
  unauthenticated: 401,
  'permission-denied': 403,
  'not-found': 404,
  'already-exists': 409,
  aborted: 409,
  'resource-exhausted': 429,
  internal: 500,
  unavailable: 503,
  'deadline-exceeded': 504,
} as const;

/** The codes JIGA answers with. */
export type ErrorCode = keyof typeof httpStatusOf;

/** What a client sees of any thrown value: an AppError as it is, everything else as a bare internal error. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('internal', 'Something went wrong on our side. Try again with the same input.', { reason: 'internal' }, { cause: error });
}

/** What an unexpected error and what caused it are called, say and where they were thrown, for the log only. */
export interface ErrorDescription {
  name: string;
  /** gRPC status, system or Firebase error code, where there is one. */
  code?: string | number;
  message: string;
  stack?: string | undefined;
  cause?: ErrorDescription;
}

/** Causes of causes that are described: an error may be its own. */
const deepestCause = 5;

/** What the log says of an unexpected error, whose texts others have written: nothing that somebody has sent, see scrubbed, and no secret of ours. */
export function describeError(error: unknown, depth = deepestCause): ErrorDescription {
  if (!(error instanceof Error)) return { name: 'Unknown', message: typeof error };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const known = typeof code === 'number' || (typeof code === 'string' && /^[\w/-]{1,40}$/.test(code)) ? { code } : {};
  return { name, ...known, message: scrubbed(withoutSecrets(message)), stack: placesOf(stack, message), ...(cause === undefined || depth === 0 ? {} : { cause: describeError(cause, depth - 1) }) };
}

/** An error as the REST API answers it. */
export function errorBody({ code, message, details }: AppError): object {
  return { error: { code, message, ...(details ? { details } : {}) } };
}
