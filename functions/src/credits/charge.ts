import type { Usage } from '../providers/types.ts';
import { actualPrice, type PricedInput } from './prices.ts';
import type { DofRates } from './schema.ts';

/** How a model call came to its end, as far as money is concerned. */
export type Ending =
  | { kind: 'answered'; usage: Usage }
  /** Cut by a deadline, a fault, a caller who left or the end of the session, after some text was produced. */
  | { kind: 'cut'; estimated: Usage }
  /** Failed before any output. */
  | { kind: 'failed' };

/** Price of a turn, and whether it had to be estimated. */
export interface Charge {
  cost: number;
  estimated: boolean;
}

/**
 * The charge policy (DESIGN section 5): success at actual usage, nothing for a failure before any output, what was
 * generated when a turn is cut. A holder that dies without a trace is charged by `abandonedCost` of the meter.
 */
export function charge(ending: Ending, rates: DofRates, input: PricedInput, held: number): Charge {
  switch (ending.kind) {
    case 'answered':
      return { cost: actualPrice(rates, input, ending.usage, held), estimated: false };
    case 'cut':
      return { cost: actualPrice(rates, input, ending.estimated, held), estimated: true };
    case 'failed':
      return { cost: 0, estimated: false };
  }
}
