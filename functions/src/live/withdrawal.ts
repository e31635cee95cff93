import { post, type Meter } from './meter.ts';
import { inLine, longWaitMs, withoutTicket } from './queue.ts';

/**
 * The meter without a turn that could not begin: without its ticket, and where it is `unpaid`, which says that nothing
 * was or will be charged for it, without a lease that its holder never heard of.
 */
export function withdraw(meter: Meter, fence: string, { unpaid, idleMs }: { unpaid: boolean; idleMs: number }, now: number): Meter {
  const released = unpaid ? post(meter, { fence, cost: 0, streamed: false, idleMs, settleEvery: Infinity }, now)?.meter : undefined;
  const left = released ?? meter;
  const ticket = meter.queue?.[fence];
  const longWaits = (meter.longWaits ?? 0) + (ticket && now - ticket.at > longWaitMs ? 1 : 0);
  return { ...inLine(left, withoutTicket(left, fence)), ...(longWaits === 0 ? {} : { longWaits }) };
}
