import type { AgentDoc } from '../agents/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { change, type Change } from './balance.ts';
import { postHold, resolveHold, type ResolvedHold } from './holds.ts';
import type { CheckpointDoc } from './schema.ts';

/** New values of the documents that one settlement changes. */
export interface Settlement {
  /** DOFs debited by this settlement; 0 when only the rest of the hold is released. */
  delta: number;
  released: number;
  session: Pick<SessionDoc, 'settledDOFs' | 'consumedDOFs' | 'heldDOFs' | 'settlement' | 'version'>;
  money: Change;
  /** How the session's hold was resolved; null while it is pending, and when there was none. */
  hold: ResolvedHold | null;
}

/**
 * Settles a checkpoint against session and agent. Totals are cumulative, so a repeated, late or reordered checkpoint
 * has nothing left to settle: null. A final checkpoint also releases what is left of the session's hold.
 */
export function settle(checkpoint: Pick<CheckpointDoc, 'total' | 'final'>, session: SessionDoc, agent: AgentDoc, now: number): Settlement | null {
  const last = checkpoint.final && session.settlement === 'pending';
  // Once a session has ended, its own total is final; a checkpoint cannot say less.
  const total = last ? Math.max(checkpoint.total, session.consumedDOFs) : checkpoint.total;
  const delta = Math.max(0, total - session.settledDOFs);
  if (session.settlement === 'done' || (delta === 0 && !last)) return null;
  const { sessionId } = session;
  const settledDOFs = session.settledDOFs + delta;
  let hold: ResolvedHold | null = null;
  const money = change(agent, now, (draft) => {
    postHold(draft, sessionId, delta, { type: 'settlement', operationId: `settle-${sessionId}-${settledDOFs}`, sessionId }, now);
    if (last && draft.holds[sessionId]) hold = resolveHold(draft, sessionId, settledDOFs > 0 ? 'posted' : 'released');
  });
  return {
    delta,
    released: (hold as ResolvedHold | null)?.releasedDOFs ?? 0,
    session: {
      settledDOFs,
      consumedDOFs: Math.max(session.consumedDOFs, total),
      heldDOFs: money.balance.holds[sessionId]?.amount ?? 0,
      settlement: last ? 'done' : session.settlement,
      version: session.version + 1,
    },
    money,
    hold,
  };
}
