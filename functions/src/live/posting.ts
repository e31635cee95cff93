import { createCheckpoint } from '../credits/store.ts';
import { log } from '../runtime/log.ts';
import { abandonedCost, post, remaining, type Lease, type Meter, type Posted, type Posting } from './meter.ts';
import { readRequest, recordTurn, updateMeter } from './store.ts';

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
  if (typeof result?.checkpoint === 'number') await checkpoint(sessionId, result.checkpoint);
  return result;
}

/** A checkpoint that fails must not fail the turn, which is charged by now: totals are cumulative, the next one covers it. */
async function checkpoint(sessionId: string, total: number): Promise<void> {
  try {
    await createCheckpoint(sessionId, total);
  } catch (error) {
    log.warn('checkpoint not written', { sessionId, total, code: (error as { code?: unknown }).code });
  }
}

/**
 * Resolves a turn whose holder died (or is cut off): posts what it left on record and settles its request id. A retry
 * of the same request pays for itself, so its dead attempt is posted at nothing.
 */
export async function resolveAbandoned(sessionId: string, lease: Lease, options: Omit<Posting, 'fence' | 'cost'>, now: number, retriedBy?: string): Promise<Meter | null> {
  const record = await readRequest(sessionId, lease.requestId);
  const own = lease.requestId === retriedBy;
  const { cost, estimated } = own ? { cost: 0, estimated: false } : abandonedCost(lease, record);
  const posted = await postTurn(sessionId, { ...options, fence: lease.fence, cost }, now);
  if (posted && !own && record?.state === 'running') {
    const left = { consumed: posted.meter.consumed, remainingDOFs: remaining(posted.meter) };
    await recordTurn(sessionId, lease.requestId, { ...record, ...left, state: 'done', turnId: lease.fence, outcome: 'cut', reply: '', cost, estimated }, {
      turnId: lease.fence,
      last: { type: 'error', code: 'deadline-exceeded', reason: 'provider_timeout' },
      live: {},
    });
  }
  return posted?.meter ?? null;
}
