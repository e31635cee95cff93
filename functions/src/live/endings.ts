import type { Ending } from '../credits/charge.ts';
import type { ModelRun } from './model.ts';
import type { CutReason } from './schema.ts';

/** What stopped a model call, as far as it was stopped. */
export interface Stops {
  /** What was held is used up. */
  spent: boolean;
  callerGone: boolean;
  late: boolean;
  /** The session has closed, or the lease is lost. */
  closed: boolean;
}

/** The row of the charge policy for a model call that ended like this. */
export function endingOf({ outcome, unreported }: Pick<ModelRun, 'outcome' | 'unreported'>, stops: Stops): Ending {
  if (outcome === 'failed') return 'failed';
  if (outcome === 'cut') return stops.spent ? 'exhausted' : stops.callerGone ? 'callerGone' : 'cut';
  if (stops.late) return 'late';
  return unreported === undefined ? 'answered' : unreported === 'wholly' ? 'unreported' : 'partlyReported';
}

/** Why a reply ends early; null when the model ended it. */
export function cutReason({ outcome }: Pick<ModelRun, 'outcome'>, { spent, callerGone, late, closed }: Stops): CutReason | null {
  if (outcome === 'length' && spent) return 'dofs_exhausted';
  if (outcome !== 'cut') return null;
  if (spent) return 'dofs_exhausted';
  return callerGone ? 'caller_gone' : late ? 'deadline' : closed ? 'session_closed' : 'provider_fault';
}

/** Whether a reply is as the model meant it: what was cut or refused is neither spoken nor remembered. */
export function isWhole({ outcome }: { outcome: ModelRun['outcome'] | 'skipped' }): boolean {
  return outcome === 'complete' || outcome === 'length';
}
