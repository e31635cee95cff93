import type { UsageLine } from '../credits/schema.ts';
import { createCheckpoint, type CheckpointOf } from '../credits/store-settle.ts';
import { log } from '../runtime/log.ts';
import { outdated } from './kept-streams.ts';
import { post, type Meter, type Posted, type Posting } from './meter.ts';
import { abandonedRecord, recordedCost, type RequestRecord } from './requests.ts';
import { markCheckpointed, readContext, updateMeter } from './store.ts';
import { closeRequest, usageBetween } from './store-requests.ts';
import { endTurn, pieceKey, removeStreams, type Piece, type TurnEnd } from './store-streams.ts';

/**
 * Posts a turn's price on the meter and, when enough has been consumed, creates the checkpoint that settles it.
 * Null when the lease was resolved by somebody else meanwhile.
 */
export async function postTurn(sessionId: string, posting: Posting, now: number): Promise<Posted | null> {
  let posted: Posted | null = null;
  await updateMeter(sessionId, (meter) => {
    posted = post(meter, posting, now);
    return posted?.meter;
  });
  const result = posted as Posted | null;
  if (result?.checkpointDue) await checkpoint(sessionId, result.meter);
  return result;
}

/** A checkpoint that fails must not fail the turn, which is charged by now: totals are cumulative, the next turn tries again. */
async function checkpoint(sessionId: string, { checkpointed, consumed }: Meter): Promise<void> {
  try {
    const context = await readContext(sessionId);
    if (!context) return;
    const of = { ...context, sessionId };
    await createCheckpoint(of, consumed, await lastLines(of, await usageBetween(sessionId, checkpointed, consumed)));
    await markCheckpointed(sessionId, consumed);
  } catch (error) {
    log.warn('checkpoint not written', { sessionId, total: consumed, code: (error as { code?: unknown }).code });
  }
}

/** Most turns in one checkpoint document, which may hold 1 MiB. */
const linesPerCheckpoint = 1_000;

/** Writes lines as checkpoints for as long as there are too many for one document; answers those that are left. */
export async function lastLines(of: CheckpointOf, lines: UsageLine[]): Promise<UsageLine[]> {
  let left = lines;
  for (; left.length > linesPerCheckpoint; left = left.slice(linesPerCheckpoint)) {
    const part = left.slice(0, linesPerCheckpoint);
    await createCheckpoint(of, part.at(-1)!.to, part);
  }
  return left;
}

/** Tells members of a turn by its record, in the place of whatever they have been told. */
async function tellReply(sessionId: string, turnId: string, { by, reply = '', outcome = 'complete', cost = 0, cutBecause }: RequestRecord, end: Pick<TurnEnd, 'live' | 'outdated'>): Promise<void> {
  const asked = by ?? (await readContext(sessionId))?.ownerId;
  const piece: Piece = { type: 'chunk', text: reply.toWellFormed(), ...(asked === undefined ? {} : { by: asked }) };
  const { shown } = await endTurn(sessionId, { ...end, turnId, last: { type: 'done', outcome, cost, ...(cutBecause ? { cutBecause } : {}) }, rest: { first: true, pieces: { [pieceKey(0)]: piece } } });
  await shown;
}

/**
 * Resolves a turn whose holder died or is cut off: closes its request at the part that was sent, unless its record says
 * already what it cost, and posts that. The record decides, so that holder and resolver cannot charge differently.
 */
export async function resolveAbandoned(sessionId: string, meter: Meter, options: Omit<Posting, 'fence' | 'cost' | 'streamed'>, now: number): Promise<void> {
  const lease = meter.turn!;
  const { won, record } = await closeRequest(sessionId, lease.requestId, lease.fence, (running) => abandonedRecord(running, lease, meter, now));
  const old = outdated(meter.streams);
  const live = { ...(record?.consumed === undefined ? {} : { 'dofs/consumed': record.consumed }), ...(record?.remainingDOFs === undefined ? {} : { 'dofs/remaining': record.remainingDOFs }) };
  if (won) await (await endTurn(sessionId, { turnId: lease.fence, last: { type: 'error', code: 'deadline-exceeded', reason: 'provider_timeout' }, rest: { pieces: {}, first: false }, live, outdated: old })).shown;
  // Its holder may have died before it told members what it said, and before it removed these.
  else if (record?.turnId === lease.fence && record.reply) await tellReply(sessionId, lease.fence, record, { live, outdated: old }).catch(() => log.warn('live state not written', { sessionId, turnId: lease.fence }));
  else await removeStreams(sessionId, old);
  await postTurn(sessionId, { ...options, fence: lease.fence, cost: recordedCost(record, lease.fence), streamed: true }, now);
}
