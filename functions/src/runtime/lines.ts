import type { ErrorDescription } from './errors.ts';
import { log, type Subject } from './log.ts';

/** An entry that metrics are made from (tools/monitoring): its message, and the one way to write it. */
export interface Line<Fields extends object> {
  message: string;
  write(fields: Fields & Subject, severity?: 'INFO' | 'WARNING' | 'ERROR'): void;
}

function line<Fields extends object>(message: string): Line<Fields> {
  return { message, write: (fields, severity = 'INFO') => (severity === 'INFO' ? log.info(message, fields) : log.write({ ...fields, message, severity })) };
}

/**
 * Every entry that metrics, alerts and dashboard read. Each is written once for its fact: a metric counts entries. A field
 * that is renamed here must be renamed in tools/monitoring, too: its tests compare both with what a run really writes.
 */
export const lines = {
  /** A call of an operation that was answered, one way or the other. */
  operation: line<{
    operation: string;
    /** `ok`, or the code of the error. */
    outcome: string;
    reason?: string | undefined;
    durationMs: number;
    /** The safe message of a fault that is a vendor's or the configuration's. */
    because?: string;
    error?: ErrorDescription;
  }>('operation'),

  /** A session that has ended, once its end is committed. */
  sessionEnded: line<{ sessionId: string; closeReason: string; durationMs: number; consumedDOFs: number }>('session ended'),

  /** A change of a balance, once it is committed. */
  transaction: line<{
    /** `settlement`, or the event that it is told by, such as `agent.dofs_granted`. */
    type: string;
    /** DOFs that were moved, 0 where a settlement only gave back what was held; negative for an adjustment that takes. */
    amountDOFs: number;
    /** Of a settlement by a trigger or the sweep: ms from its checkpoint to its commit. Where a session ends, its call settles at once. */
    lagMs?: number;
    /** Of a settlement: who answered. */
    provider?: string;
  }>('transaction'),

  /** A sweep that came to its end. */
  sweep: line<{
    /** Age of the oldest event that nobody had published, ms; 0 when there was none older than a minute. */
    outboxAgeMs: number;
    /** What could not be done. */
    failed: number;
    /** All balances together, whenever they were counted. */
    platformBalanceDOFs?: number;
  }>('sweep'),

  /** Something that the sweep could not do; the next one tries again. */
  sweepItemFailed: line<{ kind: string; error: ErrorDescription }>('sweep item failed'),

  /** Books that do not agree. */
  ledgerDrift: line<{
    kind: string;
    /** Without whose they are: `npm run audit -- --agent` finds that. */
    documents: string[];
    repairable: boolean;
    /** What it should be and what it is, where both are numbers. */
    expected?: number;
    found?: number;
  }>('ledger drift'),

  /** A trigger that failed; the platform repeats it, save for the one of a new account, whose work getMe makes up for. */
  triggerFailed: line<{ trigger: string; error: ErrorDescription }>('trigger failed'),
};
