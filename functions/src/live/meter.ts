import type { ProviderName } from '../providers/types.ts';

/** A turn in flight: the lease on the session's meter and the DOFs held for it. */
export interface Lease {
  requestId: string;
  /** Distinguishes this holder from every other one, a retry of the same request included. */
  fence: string;
  /** DOFs that the turn can cost at most. */
  held: number;
  /** DOFs charged when the turn dies without a trace: the part that was sent. */
  inputPrice: number;
  /** ms since the epoch; afterwards anybody may resolve the turn. */
  expiresAt: number;
}

/** meters/{sessionId}: what a session may spend and has spent. Server only. */
export interface Meter {
  open: boolean;
  generation: number;
  /** DOFs held from the agent's balance for this session. */
  limit: number;
  consumed: number;
  /** `consumed` when the last checkpoint was taken. */
  checkpointed: number;
  /** ms since the epoch; no turn starts afterwards. */
  expiresAt: number;
  /** ms since the epoch when the sweep must look at this session; absent once nothing is left to do. */
  dueAt?: number;
  /** Why it was closed. */
  closeReason?: string;
  turn?: Lease;
  /** Fingerprint of the last frame, as the provider returned it. */
  scene?: string;
}

/** What a turn asks of the meter. */
export interface TurnClaim {
  requestId: string;
  fence: string;
  held: number;
  inputPrice: number;
  /** Generation that the client believes to be current; absent when it does not say. */
  generation?: number;
  leaseMs: number;
  idleMs: number;
}

/** Why a turn may not start, or the meter with its lease. */
export type Acquired =
  | { kind: 'leased'; meter: Meter }
  | { kind: 'closed'; reason: string }
  | { kind: 'superseded'; generation: number }
  | { kind: 'expired' }
  | { kind: 'busy'; lease: Lease; retryAfterMs: number }
  | { kind: 'abandoned'; lease: Lease }
  | { kind: 'exhausted'; remaining: number };

/** DOFs that the meter can still spend, the turn in flight included in what is spent. */
export function remaining(meter: Meter): number {
  return Math.max(0, meter.limit - meter.consumed - (meter.turn?.held ?? 0));
}

/** Takes the lease for a turn if the session is open and can pay for it. Fails closed: no meter or a price that is no number, no turn. */
export function acquire(meter: Meter | null, claim: TurnClaim, now: number): Acquired {
  if (!meter) return { kind: 'closed', reason: 'unknown' };
  if (!meter.open) return { kind: 'closed', reason: meter.closeReason ?? 'unknown' };
  if (claim.generation !== undefined && claim.generation !== meter.generation) return { kind: 'superseded', generation: meter.generation };
  if (now >= meter.expiresAt) return { kind: 'expired' };
  if (meter.turn?.fence === claim.fence) return { kind: 'leased', meter };
  if (meter.turn && now < meter.turn.expiresAt) return { kind: 'busy', lease: meter.turn, retryAfterMs: meter.turn.expiresAt - now };
  if (meter.turn) return { kind: 'abandoned', lease: meter.turn };
  if (!(claim.held <= remaining(meter))) return { kind: 'exhausted', remaining: remaining(meter) };
  const { requestId, fence, held, inputPrice } = claim;
  const turn = { requestId, fence, held, inputPrice, expiresAt: now + claim.leaseMs };
  return { kind: 'leased', meter: { ...meter, turn, dueAt: turn.expiresAt + claim.idleMs } };
}

/** How a turn ends on the meter. */
export interface Posting {
  fence: string;
  /** DOFs charged, at most what was held. */
  cost: number;
  scene?: string;
  idleMs: number;
  settleEvery: number;
}

/** The meter after a posting, and the total to checkpoint now, if one is due. */
export interface Posted {
  meter: Meter;
  checkpoint: number | null;
}

/** Turns the hold of a turn into its price. Null when the lease is no longer this holder's: it was resolved already. */
export function post(meter: Meter | null, posting: Posting, now: number): Posted | null {
  if (meter?.turn?.fence !== posting.fence) return null;
  const { turn, ...rest } = meter;
  const consumed = meter.consumed + Math.min(posting.cost, turn.held);
  const due = consumed - meter.checkpointed >= posting.settleEvery;
  const next: Meter = {
    ...rest,
    consumed,
    checkpointed: due ? consumed : meter.checkpointed,
    ...(posting.scene === undefined ? {} : { scene: posting.scene }),
    dueAt: meter.open ? now + posting.idleMs : meter.dueAt ?? now,
  };
  return { meter: next, checkpoint: due ? consumed : null };
}

/** Closes the meter: no further turn starts. `dueAt` stays, so that the sweep finishes an end that was cut short. */
export function close(meter: Meter, reason: string, now: number): Meter {
  return meter.open ? { ...meter, open: false, closeReason: reason, dueAt: now + finishWithinMs } : meter;
}
const finishWithinMs = 60_000;

/** Whether the sweep must act on the meter: idle for too long, or closed without its session's end being committed. */
export function isDue(meter: Meter, now: number): boolean {
  return meter.dueAt !== undefined && meter.dueAt <= now && (meter.turn === undefined || meter.turn.expiresAt <= now);
}

/** What becomes of a request id that comes in again. */
export type Repeat = { kind: 'new' } | { kind: 'replay'; record: RequestRecord } | { kind: 'conflict' } | { kind: 'running'; retryAfterMs: number };

/** requests/{sessionId}/{requestId}: written before the lease is taken, and before a turn is posted. Server only. */
export interface RequestRecord {
  /** Fingerprint of the request's body. */
  hash: string;
  state: 'running' | 'done';
  /** ms since the epoch; a running record may be taken over afterwards. */
  expiresAt: number;
  turnId?: string;
  cost?: number;
  outcome?: string;
  estimated?: boolean;
  reply?: string;
  provider?: ProviderName;
  /** The session's meter after the turn, in DOFs. */
  consumed?: number;
  remainingDOFs?: number;
}

/** Judges a request id against its record: same body replays, another body conflicts, a dead attempt may run again. */
export function judgeRepeat(record: RequestRecord | null, hash: string, now: number): Repeat {
  if (!record) return { kind: 'new' };
  if (record.hash !== hash) return { kind: 'conflict' };
  if (record.state === 'done') return { kind: 'replay', record };
  return now < record.expiresAt ? { kind: 'running', retryAfterMs: record.expiresAt - now } : { kind: 'new' };
}

/** How long after recording how its turn ended a living holder has posted it; normally one round trip. */
const postWithinMs = 2_000;

/** Whether the holder of a lease recorded how its turn ended and died before posting it: others need not wait for the lease to expire. */
export function diedBeforePosting(lease: Lease, record: RequestRecord | null, now: number): boolean {
  return record?.state === 'done' && record.turnId === lease.fence && now - record.expiresAt > postWithinMs;
}

/** DOFs for a turn whose holder died: what it recorded, the input part when it never got that far, nothing when it never began. */
export function abandonedCost(lease: Lease, record: RequestRecord | null): { cost: number; estimated: boolean } {
  if (!record) return { cost: 0, estimated: false };
  if (record.state === 'done') return { cost: record.cost ?? 0, estimated: record.estimated ?? false };
  return { cost: Math.min(lease.inputPrice, lease.held), estimated: true };
}
