import { AppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { notMember, sessionClosed } from '../sessions/members.ts';
import type { CloseReason } from '../sessions/schema.ts';
import { acquire, type Acquired, type Lease, type Meter } from './meter.ts';
import { diedBeforePosting } from './requests.ts';
import { resolveAbandoned } from './posting.ts';
import type { PreparedTurn } from './prepare.ts';
import { longWaitMs, type Waiting } from './queue.ts';
import type { ProcessFrameInput } from './schema.ts';
import { raiseLimit, updateMeter } from './store.ts';
import { showPause } from './store-pause.ts';
import { closeRequest, readRequest } from './store-requests.ts';
import { turnInProgress, type LeaseWatch } from './waiting.ts';
import { withdraw } from './withdrawal.ts';

/** Terms of a lease: who holds it, for how long, and what happens on the meter when it ends. */
export interface LeaseOptions {
  fence: string;
  /** Where the record of the request stands. */
  requestKey: string;
  /** Who takes the turn, if not the owner. */
  by?: string;
  /** How its caller waits for the turns before it, if it does. */
  waits?: Waiting;
  leaseMs: number;
  idleMs: number;
  settleEvery: number;
}

/** A lease that was taken: the meter with it, and how long its turn has waited, ms. */
export interface Leased {
  meter: Meter;
  waitedMs: number;
}

/** What taking a lease is given from outside: the clock, and the way to end a session that cannot go on. */
export interface LeaseDeps {
  now: () => number;
  endSession: (sessionId: string, reason: CloseReason) => Promise<unknown>;
  /** Adds to the session's hold what `limit` lacks by `missing`; answers the new limit, null when there is nothing to add. */
  extendHold: (limit: number, missing: number) => Promise<number | null>;
  watch: LeaseWatch;
  /** Aborted when the caller has gone: then its turn waits no longer. */
  callerGone: AbortSignal;
}

/**
 * Takes the lease on the session's meter, resolving the turn of a dead holder first and waiting for the turns before it
 * where the caller does. Ends the session when it is past its time or cannot pay for the turn. The owner's turn ends a
 * pause. Whoever gets no lease leaves nothing behind, so that the same request id may try again.
 * @throws AppError `failed-precondition` (session_closed, session_superseded, session_paused), `aborted` (turn_in_progress),
 *   `resource-exhausted` (dofs_exhausted, member_cap), `not-found` for who is no member, `permission-denied` (spectator).
 */
export async function takeLease(input: ProcessFrameInput, prepared: PreparedTurn, lease: LeaseOptions, deps: LeaseDeps): Promise<Leased> {
  const traces = { onMeter: false, waited: false };
  try {
    return await untilLeased(input, prepared, lease, deps, traces);
  } catch (error) {
    await leaveNothing(input.sessionId, lease, traces, deps.now());
    if (traces.waited) tellOfWait(input.sessionId, lease, deps.now());
    throw error;
  }
}

/** What may stand on the meter: an attempt that was not heard of may have been carried out. */
interface Traces {
  onMeter: boolean;
  waited: boolean;
}

/** How often a turn that waits asks whether the one before it has died without giving its lease back, ms: the meter does not say. */
const lookAgainMs = 3_000;

async function untilLeased(input: ProcessFrameInput, prepared: PreparedTurn, lease: LeaseOptions, deps: LeaseDeps, traces: Traces): Promise<Leased> {
  const { sessionId, generation } = input;
  const floor = prepared.bare.least;
  const { held, inputPrice } = prepared;
  // Whole first; then from a hold that was extended; then with what is left, so that the last DOFs can be spent.
  let least = held;
  let extendable = true;
  let waited = false;
  for (;;) {
    const acquired = await tryAcquire(sessionId, (meter) => acquire(meter, { ...lease, requestId: lease.requestKey, held, least, floor, inputPrice, ...(generation === undefined ? {} : { generation }) }, deps.now()), traces, deps.now);
    if (acquired.kind === 'leased') return leased(sessionId, lease, acquired.meter, waited ? deps.now() : null);
    if (acquired.kind === 'exhausted' && extendable) {
      const limit = await deps.extendHold(acquired.limit, acquired.missing);
      if (limit !== null) await raiseLimit(sessionId, limit);
      else [least, extendable] = [floor, false];
    } else if (acquired.kind === 'abandoned' || ('meter' in acquired && await isGivenUp(sessionId, acquired.meter.turn, deps.now()))) {
      await resolveAbandoned(sessionId, acquired.meter, lease, deps.now());
    } else if (acquired.kind === 'queued') {
      waited = traces.waited = true;
      await deps.watch.untilTurn(Math.min(lease.waits!.until, deps.now() + lookAgainMs), deps.callerGone);
    } else {
      throw await refusal({ sessionId, by: lease.by }, acquired, floor, deps);
    }
  }
}

/** `now` in ms since the epoch, null for a turn that has not waited. */
function leased(sessionId: string, lease: LeaseOptions, meter: Meter, now: number | null): Leased {
  return { meter, waitedMs: now === null ? 0 : tellOfWait(sessionId, lease, now) };
}

/** Logs a wait that was long, whether a turn came of it or not. Answers how long it was, ms. */
function tellOfWait(sessionId: string, { fence, waits }: LeaseOptions, now: number): number {
  const waitedMs = Math.max(0, now - waits!.since);
  if (waitedMs > longWaitMs) log.info('turn waited', { sessionId, turnId: fence, waitedMs });
  return waitedMs;
}

/**
 * Forgets the request first: as long as it runs, somebody who resolves its lease may charge it. Fails quietly: the
 * ticket, the lease and the record end by themselves.
 */
async function leaveNothing(sessionId: string, lease: LeaseOptions, { onMeter }: Traces, now: number): Promise<void> {
  const { won } = await closeRequest(sessionId, lease.requestKey, lease.fence, () => null).catch(() => ({ won: false }));
  if (onMeter) await updateMeter(sessionId, (meter) => (meter ? withdraw(meter, lease.fence, { ...lease, unpaid: won }, now) : undefined)).catch(() => undefined);
}

async function isGivenUp(sessionId: string, lease: Lease | undefined, now: number): Promise<boolean> {
  return lease !== undefined && diedBeforePosting(lease, await readRequest(sessionId, lease.requestId), now);
}

async function tryAcquire(sessionId: string, attempt: (meter: Meter | null) => Acquired, traces: Traces, now: () => number): Promise<Acquired> {
  let acquired: Acquired = { kind: 'closed', reason: 'unknown' };
  let wasAway = false;
  await updateMeter(sessionId, (meter) => {
    wasAway ||= meter?.ownerAway !== undefined;
    acquired = attempt(meter);
    if (acquired.kind !== 'leased' && acquired.kind !== 'queued') return undefined;
    traces.onMeter = true;
    return acquired.meter;
  });
  if (wasAway && (acquired as Acquired).kind === 'leased') await showPause(sessionId, now).catch(() => log.warn('live state not written', { sessionId }));
  return acquired;
}

async function refusal({ sessionId, by }: { sessionId: string; by: string | undefined }, acquired: Exclude<Acquired, { kind: 'leased' | 'queued' | 'abandoned' }>, needed: number, deps: LeaseDeps): Promise<AppError> {
  switch (acquired.kind) {
    case 'closed':
      return sessionClosed(acquired.reason);
    case 'stranger':
      // On the meter of a session that has ended nobody is a member.
      return deps.watch.signal.aborted ? deps.watch.signal.reason as AppError : notMember();
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
      return turnInProgress(acquired.retryAfterMs);
    case 'expired':
      await endQuietly(sessionId, 'expired', deps);
      return sessionClosed('expired');
    case 'exhausted':
      // A member could ask for the dearest turn there is: only the owner's own turn ends the session.
      if (by === undefined) await endQuietly(sessionId, 'dofs_exhausted', deps);
      return new AppError('resource-exhausted', `The DOFs left in this session do not cover this turn. ${by === undefined ? 'The session has ended; top the agent up to go on.' : 'Ask for less, or ask its owner to top the agent up.'}`, {
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
