import { AppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { notMember, sessionClosed } from '../sessions/members.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { acquire, type Acquired, type Lease, type Meter } from './meter.ts';
import { diedBeforePosting } from './requests.ts';
import { resolveAbandoned } from './posting.ts';
import type { PreparedTurn } from './prepare.ts';
import type { ProcessFrameInput } from './schema.ts';
import { raiseLimit, updateMeter, watchMeter } from './store.ts';
import { showPause } from './store-pause.ts';
import { readRequest } from './store-requests.ts';

/** Terms of a lease: who holds it, for how long, and what happens on the meter when it ends. */
export interface LeaseOptions {
  fence: string;
  /** Where the record of the request stands. */
  requestKey: string;
  /** Who takes the turn, if not the owner. */
  by?: string;
  leaseMs: number;
  idleMs: number;
  settleEvery: number;
}

/** What taking a lease is given from outside: the clock, and the way to end a session that cannot go on. */
export interface LeaseDeps {
  now: () => number;
  endSession: (sessionId: string, reason: CloseReason) => Promise<unknown>;
  /** Adds to the session's hold what `limit` lacks by `missing`; answers the new limit, null when there is nothing to add. */
  extendHold: (limit: number, missing: number) => Promise<number | null>;
}

/**
 * Takes the lease on the session's meter, resolving the turn of a dead holder first. Ends the session when it is
 * past its time or cannot pay for the turn. The owner's turn ends a pause.
 * @throws AppError `failed-precondition` (session_closed, session_superseded, session_paused), `aborted` (turn_in_progress),
 *   `resource-exhausted` (dofs_exhausted, member_cap), `not-found` for who is no member, `permission-denied` (spectator).
 */
export async function takeLease(input: ProcessFrameInput, prepared: PreparedTurn, lease: LeaseOptions, deps: LeaseDeps): Promise<Meter> {
  const { sessionId, generation } = input;
  const floor = prepared.bare.least;
  const { held, inputPrice } = prepared;
  // Whole first; then from a hold that was extended; then with what is left, so that the last DOFs can be spent.
  let least = held;
  let extendable = true;
  for (;;) {
    const acquired = await tryAcquire(sessionId, (meter) => acquire(meter, { ...lease, requestId: lease.requestKey, held, least, floor, inputPrice, ...(generation === undefined ? {} : { generation }) }, deps.now()), deps.now);
    if (acquired.kind === 'leased') return acquired.meter;
    if (acquired.kind === 'exhausted' && extendable) {
      const limit = await deps.extendHold(acquired.limit, held - acquired.remaining);
      if (limit !== null) await raiseLimit(sessionId, limit);
      else [least, extendable] = [floor, false];
    } else if (acquired.kind === 'abandoned' || (acquired.kind === 'busy' && await isGivenUp(sessionId, acquired.meter.turn!, deps.now()))) {
      await resolveAbandoned(sessionId, acquired.meter, lease, deps.now());
    } else {
      throw await refusal({ sessionId, by: lease.by }, acquired, floor, deps);
    }
  }
}

async function isGivenUp(sessionId: string, lease: Lease, now: number): Promise<boolean> {
  return diedBeforePosting(lease, await readRequest(sessionId, lease.requestId), now);
}

async function tryAcquire(sessionId: string, attempt: (meter: Meter | null) => Acquired, now: () => number): Promise<Acquired> {
  let acquired: Acquired = { kind: 'closed', reason: 'unknown' };
  let wasAway = false;
  const left = await updateMeter(sessionId, (meter) => {
    wasAway ||= meter?.ownerAway !== undefined;
    acquired = attempt(meter);
    return acquired.kind === 'leased' ? acquired.meter : undefined;
  });
  if (wasAway && !left?.ownerAway) await showPause(sessionId, now).catch(() => log.warn('live state not written', { sessionId }));
  return acquired;
}

async function refusal({ sessionId, by }: { sessionId: string; by: string | undefined }, acquired: Exclude<Acquired, { kind: 'leased' | 'abandoned' }>, needed: number, deps: LeaseDeps): Promise<AppError> {
  switch (acquired.kind) {
    case 'closed':
      return sessionClosed(acquired.reason);
    case 'stranger':
      return notMember();
    case 'spectator':
      return new AppError('permission-denied', 'Spectators watch. Ask the owner for an invite as a player.', { reason: 'spectator' });
    case 'paused':
      return new AppError('failed-precondition', 'The owner of this session is away. It goes on when the owner is back.', { reason: 'session_paused' });
    case 'capped':
      return new AppError('resource-exhausted', `You may consume ${acquired.cap} DOFs in this session and have consumed ${acquired.spent}. Ask the owner for more.`, {
        reason: 'member_cap', capDOFs: acquired.cap, spentDOFs: acquired.spent, neededDOFs: needed,
      });
    case 'superseded':
      return new AppError('failed-precondition', 'Another client has taken this session over.', { reason: 'session_superseded', generation: acquired.generation });
    case 'busy':
      return new AppError('aborted', 'Another turn of this session is in progress.', { reason: 'turn_in_progress', retryAfterMs: Math.min(acquired.retryAfterMs, 1_000) });
    case 'expired':
      await endQuietly(sessionId, 'expired', deps);
      return sessionClosed('expired');
    case 'exhausted':
      // A member could ask for the dearest turn there is: only the owner's own turn ends the session.
      if (by === undefined) await endQuietly(sessionId, 'dofs_exhausted', deps);
      return new AppError('resource-exhausted', 'The DOFs left in this session do not cover this turn. The session has ended; top the agent up to go on.', {
        reason: 'dofs_exhausted',
        remainingDOFs: acquired.remaining,
        neededDOFs: needed,
      });
  }
}

/** The refusal is what the caller must hear; an end that fails here is finished by the sweep. */
async function endQuietly(sessionId: string, reason: CloseReason, deps: LeaseDeps): Promise<void> {
  try {
    await deps.endSession(sessionId, reason);
  } catch (error) {
    log.warn('session not ended', { sessionId, reason, code: (error as { code?: unknown }).code });
  }
}

/** The meter as a turn sees it while it runs. */
export interface LeaseWatch {
  /** Aborted when the session closes, somebody else has resolved the lease or the member who asked is removed. */
  signal: AbortSignal;
  stop: () => void;
}

/** Watches the meter during a turn. The listener also keeps it at hand, so that taking and posting the lease cost one round trip each. */
export function watchLease(sessionId: string, fence: string): LeaseWatch {
  const stopped = new AbortController();
  let holding = false;
  const stop = watchMeter(sessionId, (meter) => {
    if (meter?.turn?.fence !== fence) {
      if (holding) stopped.abort(lostLease());
    } else {
      holding = true;
      const { by } = meter.turn;
      if (by !== undefined && !Object.hasOwn(meter.members ?? {}, by)) stopped.abort(notMember());
    }
    if (meter && !meter.open) stopped.abort(sessionClosed(meter.closeReason ?? 'unknown'));
  });
  return { signal: stopped.signal, stop };
}

/**
 * The turn took so long that somebody else resolved its lease, at the price on its record: usually that of the input.
 * Asking again with the same requestId answers what was charged.
 */
export function lostLease(): AppError {
  return new AppError('deadline-exceeded', 'The turn took too long and was closed. Repeat the request to see what it cost.', { reason: 'provider_timeout' });
}
