import type { AgentDoc } from '../agents/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { burn, type Lot } from './lots.ts';
import type { CheckpointDoc, LotDebit } from './schema.ts';

/** New values of the documents that one settlement changes. */
export interface Settlement {
  /** DOFs debited by this settlement; 0 when only the rest of the hold is released. */
  delta: number;
  released: number;
  debits: LotDebit[];
  session: Pick<SessionDoc, 'settledDOFs' | 'consumedDOFs' | 'heldDOFs' | 'settlement' | 'version'>;
  agent: Pick<AgentDoc, 'currentDOFs' | 'heldDOFs' | 'debtDOFs' | 'seq'>;
}

/**
 * Settles a checkpoint against session, agent and lots. Totals are cumulative, so a repeated, late or reordered
 * checkpoint has nothing left to settle: null. A final checkpoint also releases what is left of the hold.
 */
export function settle(
  checkpoint: Pick<CheckpointDoc, 'total' | 'final'>,
  session: SessionDoc,
  agent: AgentDoc,
  lots: Lot[],
): Settlement | null {
  const last = checkpoint.final && session.settlement === 'pending';
  // Once a session has ended, its own total is final; a checkpoint cannot say less.
  const total = last ? Math.max(checkpoint.total, session.consumedDOFs) : checkpoint.total;
  const delta = Math.max(0, total - session.settledDOFs);
  if (session.settlement === 'done' || (delta === 0 && !last)) return null;
  const { debits, uncovered } = burn(lots, delta);
  const heldAfter = Math.max(0, session.heldDOFs - delta);
  const released = last ? heldAfter : 0;
  return {
    delta,
    released,
    debits,
    session: {
      settledDOFs: session.settledDOFs + delta,
      consumedDOFs: Math.max(session.consumedDOFs, total),
      heldDOFs: heldAfter - released,
      settlement: last ? 'done' : session.settlement,
      version: session.version + 1,
    },
    agent: {
      currentDOFs: agent.currentDOFs - delta,
      heldDOFs: agent.heldDOFs - (session.heldDOFs - heldAfter) - released,
      debtDOFs: agent.debtDOFs + uncovered,
      seq: agent.seq + (delta > 0 ? 1 : 0),
    },
  };
}
