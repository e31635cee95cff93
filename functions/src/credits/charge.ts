import type { Usage } from '../providers/types.ts';
import { actualPrice, inputPrice, type PricedInput } from './prices.ts';
import type { DofRates } from './schema.ts';

/** Which usage a turn is charged for, and whether that is an estimate. */
interface Terms {
  usage: 'reported' | 'generated' | 'input only' | 'skipped frame' | 'nothing';
  estimated: boolean;
}

/**
 * The charge policy, complete: every way in which a turn can end, as far as money is concerned.
 * A repeat of a request is not a turn: it is answered from its record and charges nothing.
 */
export const chargePolicy = {
  /** The model answered and said what it used. */
  answered: { usage: 'reported', estimated: false },
  /** It answered without a usable word on what it used. */
  unreported: { usage: 'input only', estimated: true },
  /** It was called several times and did not always say what it used. */
  partlyReported: { usage: 'generated', estimated: true },
  /** It answered after our deadline: the work was done, nobody got all of it. */
  late: { usage: 'input only', estimated: true },
  /** Cut in the middle of its reply: by our deadline, a fault of the vendor, the end of the session. */
  cut: { usage: 'generated', estimated: true },
  /** The caller left in the middle of the reply. */
  callerGone: { usage: 'generated', estimated: true },
  /** The reply was cut because it had used up what was held for it. */
  exhausted: { usage: 'generated', estimated: true },
  /** The frame had not changed: no model was asked. */
  skipped: { usage: 'skipped frame', estimated: false },
  /** Failed, or was stopped, before any output. */
  failed: { usage: 'nothing', estimated: false },
  /** Its function died without a trace, or did not stop when told to. */
  abandoned: { usage: 'input only', estimated: true },
} as const satisfies Record<string, Terms>;

/** A row of the charge policy. */
export type Ending = keyof typeof chargePolicy;

/** Price of a turn, and whether it had to be estimated. */
export interface Charge {
  cost: number;
  estimated: boolean;
}

/** DOFs for a turn that ended like this. `usage` is what was reported or estimated; `held` bounds the price. */
export function charge(ending: Ending, rates: DofRates, input: PricedInput, usage: Usage & { spokenCharacters: number }, held: number): Charge {
  const { usage: basis, estimated } = chargePolicy[ending];
  switch (basis) {
    case 'reported':
    case 'generated':
      return { cost: actualPrice(rates, input, usage, held), estimated };
    case 'input only':
      return { cost: Math.min(held, inputPrice(rates, input)), estimated };
    case 'skipped frame':
      return { cost: Math.min(held, inputPrice(rates, input), rates.frame.skipped ?? 0), estimated };
    case 'nothing':
      return { cost: 0, estimated };
  }
}
