import { ownerBusy, pausedAt, usedUntil, type OwnerAway } from '../presence/pause.ts';
import { withStream } from './kept-streams.ts';
import { inLine, living, longWaitMs, turnAt, withoutTicket, withTicket, type Line, type Waiting } from './queue.ts';

/** A member beside the owner, as far as turns go. */
export interface MeterMember {
  role: 'player' | 'spectator';
  /** Most DOFs that it may consume; absent: what the session has. */
  cap?: number;
}

/** A turn in flight: the lease on the session's meter and the DOFs held for it. */
export interface Lease {
  requestId: string;
  /** Distinguishes this holder from every other one, a retry of the same request included. */
  fence: string;
  /** DOFs that the turn can cost at most. */
  held: number;
  /** The member who takes the turn; absent for the owner. */
  by?: string;
  /** DOFs charged when the turn dies without a trace: the part that was sent. */
  inputPrice: number;
  /** ms since the epoch; afterwards anybody may resolve the turn. */
  expiresAt: number;
}

/** meters/{sessionId}: what a session may spend and has spent, who takes a turn and who waits for one. Server only. */
export interface Meter extends Line {
  open: boolean;
  generation: number;
  /** DOFs held from the agent's balance for this session so far. */
  limit: number;
  /** DOFs that the session could consume when it started, if its hold is extended; what clients are shown counts down from it. */
  spendable?: number;
  consumed: number;
  /** `consumed` of the last checkpoint that was written. */
  checkpointed: number;
  /** ms since the epoch; no turn starts afterwards. */
  expiresAt: number;
  /** ms since the epoch when the sweep must look at this session; absent once nothing is left to do. */
  dueAt?: number;
  /** While the owner is away. */
  ownerAway?: OwnerAway;
  /** Why it was closed. */
  closeReason?: string;
  turn?: Lease;
  /** Members beside the owner, and the version of the session that they are from. */
  members?: Record<string, MeterMember>;
  membersVersion?: number;
  /** DOFs that each of them has consumed, those who have left included: who comes back has not got a new cap. */
  spent?: Record<string, number>;
  /** Fingerprint of the last frame, as the provider returned it. */
  scene?: string;
  /** How many turns have begun, or were given up, after a long wait. */
  longWaits?: number;
  /** The last turns of which something stands in `streams/`, oldest first. */
  streams?: string[];
}

/** What a turn asks of the meter. */
export interface TurnClaim {
  requestId: string;
  fence: string;
  /** DOFs that the turn can cost at most, and the least with which it can begin: then its reply is cut when they are used up. */
  held: number;
  least: number;
  /** The least with which it could begin at all: a member whose cap leaves less is refused. */
  floor: number;
  inputPrice: number;
  /** Who asks, if not the owner. */
  by?: string;
  /** Generation that the client believes to be current; absent when it does not say. */
  generation?: number;
  /** How the caller waits for the turns before its own; absent when it does not. */
  waits?: Waiting;
  leaseMs: number;
  idleMs: number;
}

/** Why a turn may not start, or the meter with its lease, or with its ticket. `missing`: DOFs that the hold lacks for all that the turn can use. */
export type Acquired =
  | { kind: 'leased'; meter: Meter }
  | { kind: 'closed'; reason: string }
  | { kind: 'stranger' }
  | { kind: 'spectator' }
  | { kind: 'capped'; cap: number; spent: number }
  | { kind: 'superseded'; generation: number }
  | { kind: 'expired' }
  | { kind: 'paused' }
  | { kind: 'busy'; meter: Meter; retryAfterMs: number }
  | { kind: 'queued'; meter: Meter }
  | { kind: 'abandoned'; meter: Meter }
  | { kind: 'exhausted'; remaining: number; limit: number; missing: number };

/** DOFs of the hold that the meter can still spend, the turn in flight included in what is spent. */
export function remaining(meter: Meter): number {
  return Math.max(0, meter.limit - meter.consumed - (meter.turn?.held ?? 0));
}

/** DOFs that the session may still spend once `consumed` are, as clients see it: its hold, and what it can be extended by. */
export function spendableLeft(meter: Meter, consumed: number): number {
  return Math.max(0, meter.limit, meter.spendable ?? 0) - consumed;
}

function memberOf({ members = {} }: Meter, uid: string): MeterMember | undefined {
  return Object.hasOwn(members, uid) ? members[uid] : undefined;
}

/** DOFs that whoever asks may still consume: a member with a cap what is left of it, everybody else no end. */
function allowance({ members, spent }: Meter, by: string | undefined): number {
  const cap = by === undefined ? undefined : members?.[by]?.cap;
  return cap === undefined ? Infinity : Math.max(0, cap - (spent?.[by!] ?? 0));
}

/** A turn that may not begin before `at`: it gets a ticket if its caller waits and has time left, unless the line is full. */
function notYet(meter: Meter, { fence, waits, by }: TurnClaim, at: number, now: number): Acquired {
  const queue = waits && now < waits.until ? withTicket(meter, fence, waits, by, now) : null;
  return queue ? { kind: 'queued', meter: inLine(meter, queue) } : { kind: 'busy', meter, retryAfterMs: at - now };
}

/**
 * Takes the lease for a turn if the session is open, can pay for it and nobody is ahead. Fails closed: no meter or a price
 * that is no number, no turn. Who may not take turns is told so at once, whoever else takes one.
 */
export function acquire(meter: Meter | null, claim: TurnClaim, now: number): Acquired {
  if (!meter) return { kind: 'closed', reason: 'unknown' };
  const member = claim.by === undefined ? null : memberOf(meter, claim.by);
  if (member === undefined) return { kind: 'stranger' };
  if (member?.role === 'spectator') return { kind: 'spectator' };
  if (!meter.open) return { kind: 'closed', reason: meter.closeReason ?? 'unknown' };
  if (claim.generation !== undefined && claim.generation !== meter.generation) return { kind: 'superseded', generation: meter.generation };
  if (now >= meter.expiresAt) return { kind: 'expired' };
  if (meter.turn?.fence === claim.fence) return { kind: 'leased', meter };
  if (claim.by !== undefined && pausedAt(meter, now) !== null) return { kind: 'paused' };
  const allowed = allowance(meter, claim.by);
  if (claim.floor > allowed) return { kind: 'capped', cap: meter.members?.[claim.by!]?.cap ?? 0, spent: meter.spent?.[claim.by!] ?? 0 };
  if (meter.turn && now < meter.turn.expiresAt) return notYet(meter, claim, meter.turn.expiresAt, now);
  if (meter.turn) return { kind: 'abandoned', meter };
  const at = turnAt(meter, claim.fence);
  if (now < at) return notYet(meter, claim, at, now);
  const wanted = Math.min(claim.held, allowed);
  const held = Math.min(wanted, remaining(meter));
  if (!(Math.min(claim.least, wanted) <= held)) return { kind: 'exhausted', remaining: remaining(meter), limit: meter.limit, missing: wanted - held };
  const { requestId, fence, inputPrice, by } = claim;
  const turn = { requestId, fence, held, inputPrice, expiresAt: now + claim.leaseMs, ...(by === undefined ? {} : { by }) };
  const ticket = meter.queue?.[fence];
  const longWaits = (meter.longWaits ?? 0) + (ticket && now - ticket.at > longWaitMs ? 1 : 0);
  // The owner's own turn ends a pause, though it may have been asked for before the owner went.
  const attended = by === undefined ? ownerBusy(meter, turn.expiresAt) : meter;
  const begun = { ...inLine(attended, withoutTicket({ queue: living(meter, now) }, fence)), ...(longWaits === 0 ? {} : { longWaits }), turn };
  return { kind: 'leased', meter: usedUntil(begun, turn.expiresAt + claim.idleMs) };
}

/** How a turn ends on the meter. */
export interface Posting {
  fence: string;
  /** DOFs charged, at most what was held. */
  cost: number;
  /** Whether something of the turn stands in `streams/`. */
  streamed: boolean;
  scene?: string;
  idleMs: number;
  settleEvery: number;
}

/** The meter after a posting, and whether its total is to be checkpointed now. */
export interface Posted {
  meter: Meter;
  checkpointDue: boolean;
}

/** Turns the hold of a turn into its price. Null when the lease is no longer this holder's: it was resolved already. */
export function post(meter: Meter | null, posting: Posting, now: number): Posted | null {
  if (meter?.turn?.fence !== posting.fence) return null;
  const { turn, ...rest } = meter;
  const cost = Math.min(posting.cost, turn.held);
  const consumed = meter.consumed + cost;
  const next: Meter = {
    ...rest,
    consumed,
    ...(turn.by === undefined ? {} : { spent: { ...meter.spent, [turn.by]: (meter.spent?.[turn.by] ?? 0) + cost } }),
    ...(posting.scene === undefined ? {} : { scene: posting.scene }),
    ...(posting.streamed ? { streams: withStream(meter.streams, turn.fence) } : {}),
    // Only those who wait ask since when: whoever comes to a free meter without a line takes its turn at once.
    ...(meter.queue ? { freeAt: now } : {}),
    ...(meter.open ? {} : { dueAt: meter.dueAt ?? now }),
  };
  return { meter: meter.open ? usedUntil(next, now + posting.idleMs) : next, checkpointDue: consumed - meter.checkpointed >= posting.settleEvery };
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

/** The members of a session as its meter needs them; none is no field, as the database stores none. */
export function withMembers(meter: Meter, members: Record<string, MeterMember>, version: number): Meter {
  if ((meter.membersVersion ?? 0) >= version) return meter;
  const { members: _before, ...rest } = meter;
  return { ...rest, membersVersion: version, ...(Object.keys(members).length === 0 ? {} : { members }) };
}
