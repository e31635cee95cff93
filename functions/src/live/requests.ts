import type { ProviderName } from '../providers/types.ts';
import { spendableLeft, type Lease, type Meter } from './meter.ts';

/** What becomes of a request id that comes in again. */
export type Repeat = { kind: 'new' } | { kind: 'replay'; record: RequestRecord } | { kind: 'conflict' } | { kind: 'running'; retryAfterMs: number };

/** requests/{sessionId}/{requestId}: created before the lease is taken, and closed before its turn is posted: what it says is the turn's price. Server only. */
export interface RequestRecord {
  /** Fingerprint of the request's body. */
  hash: string;
  state: 'running' | 'done';
  /** ms since the epoch; a running record may be taken over afterwards. Once done: when it was closed. */
  expiresAt: number;
  /** The attempt that runs or has ended: only it, or who resolves it, may say how it ended. */
  turnId: string;
  cost?: number;
  outcome?: string;
  cutBecause?: string;
  estimated?: boolean;
  reply?: string;
  provider?: ProviderName;
  /** The session's meter after the turn, in DOFs. */
  consumed?: number;
  remainingDOFs?: number;
  /** What was sent, as JSON of UsageLine's `input`. */
  input: string;
  model: string;
  /** JSON of UsageLine's `usage`. */
  usage?: string;
  /** JSON of what was spoken, without the sound. */
  speech?: string;
  /** JSON of what the turn had to do without. */
  degraded?: string;
  /** What the player said, `[sound]` where it came as sound, and when (ms since the epoch) it was answered; absent for frames alone. */
  said?: string;
  saidAt?: number;
  /** The member who asked, if not the owner, and the id that it gave its request. */
  by?: string;
  requestId?: string;
}

/** The record of a turn of the conversation that was answered. */
export type SaidRecord = RequestRecord & Required<Pick<RequestRecord, 'said' | 'saidAt' | 'outcome'>>;

/** Orders turns of a conversation by when they were answered; those of the same ms by their ids. */
export function byAnswer(one: SaidRecord, other: SaidRecord): number {
  return one.saidAt - other.saidAt || (one.turnId < other.turnId ? -1 : 1);
}

/** Where the record of a request stands: members choose their ids independently of each other. */
export function requestKey(requestId: string, by: string | undefined): string {
  return by === undefined ? requestId : `${requestId}:${by}`;
}

/** Judges a request id against its record: same body replays, another body conflicts, a dead attempt may run again, and so may one whose own claim came through unheard. */
export function judgeRepeat(record: RequestRecord | null, claim: Pick<RequestRecord, 'hash' | 'turnId'>, now: number): Repeat {
  if (!record || (record.state === 'running' && record.turnId === claim.turnId)) return { kind: 'new' };
  if (record.hash !== claim.hash) return { kind: 'conflict' };
  if (record.state === 'done') return { kind: 'replay', record };
  return now < record.expiresAt ? { kind: 'running', retryAfterMs: record.expiresAt - now } : { kind: 'new' };
}

/** How long after recording how its turn ended a living holder has posted it; normally one round trip. */
const postWithinMs = 2_000;

/** Whether the holder of a lease recorded how its turn ended and died before posting it: others need not wait for the lease to expire. */
export function diedBeforePosting(lease: Lease, record: RequestRecord | null, now: number): boolean {
  return record?.state === 'done' && record.turnId === lease.fence && now - record.expiresAt > postWithinMs;
}

/** Whether a request is still this attempt's to close. What has been closed, forgotten or taken over by a retry is not. */
export function isRunning(record: RequestRecord | null, turnId: string): record is RequestRecord {
  return record?.state === 'running' && record.turnId === turnId;
}

/** DOFs to post for a turn whose record is as it is now: what it was closed at, nothing when it never began or another attempt pays. */
export function recordedCost(record: RequestRecord | null, turnId: string): number {
  return record?.state === 'done' && record.turnId === turnId ? record.cost ?? 0 : 0;
}

/** The record of a turn whose holder died: charged is the part that was sent. */
export function abandonedRecord(record: RequestRecord, lease: Lease, meter: Meter, now: number): RequestRecord {
  const cost = Math.min(lease.inputPrice, lease.held);
  const consumed = meter.consumed + cost;
  return { ...record, state: 'done', expiresAt: now, outcome: 'cut', reply: '', cost, estimated: true, consumed, remainingDOFs: spendableLeft(meter, consumed) };
}
