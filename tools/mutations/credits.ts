import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

/** Mutants of the rules of the money: lots, holds, debt, grants. */
export const creditMutations: Mutation[] = [
  {
    guard: 'negative amount', what: 'An entry may take a lot below zero.', file: 'credits/balance.ts',
    find: ' || lot.remaining + amount < 0', replace: '', tests: [unit('credits/balance')],
  },
  {
    guard: 'negative amount', what: 'An entry may take the debt below zero.', file: 'credits/balance.ts',
    find: ' || this.debtDOFs + debt < 0', replace: '', tests: [unit('credits/balance')],
  },
  {
    guard: 'negative amount', what: 'A burn takes what holds have taken already.', file: 'credits/lots.ts',
    find: 'Math.min(freeOf(grantId, lots, holds), uncovered)', replace: 'Math.min(lots[grantId]!.remaining, uncovered)', tests: [unit('credits/lots')],
  },
  {
    guard: 'negative amount', what: 'A hold is placed although its DOFs are not available.', file: 'credits/holds.ts',
    find: 'if (uncovered === 0) return taken;', replace: 'if (uncovered >= 0) return taken;', tests: [unit('credits/holds')],
  },
  {
    guard: 'negative amount', what: 'A correction takes what is there when it is less than asked for.', file: 'credits/grants.ts',
    find: 'if (uncovered > 0) {', replace: 'if (uncovered < 0) {', tests: [unit('credits/grants')],
  },
  {
    guard: 'idempotency', what: 'A checkpoint is settled at its total, not at what came since the one before.', file: 'credits/settle.ts',
    find: 'total - session.settledDOFs)', replace: 'total)', tests: [unit('credits/settle')],
  },
  {
    guard: 'idempotency', what: 'A session that is settled for good is settled again.', file: 'credits/settle.ts',
    find: "session.settlement === 'done' || (", replace: '(', tests: [unit('credits/settle')],
  },
  {
    guard: 'expiry', what: 'A void lot may be spent.', file: 'credits/lots.ts',
    find: 'return !lot.voided && (', replace: 'return (', tests: [unit('credits/lots')],
  },
  {
    guard: 'expiry', what: 'An expired lot may be spent.', file: 'credits/lots.ts',
    find: ' || lot.expiresAt.toMillis() > now)', replace: ' || now > 0)', tests: [unit('credits/lots')],
  },
  {
    guard: 'expiry', what: 'A grant may be over before it begins.', file: 'credits/grants.ts',
    find: 'lot.expiresAt.toMillis() <= now) throw', replace: 'lot.expiresAt.toMillis() < 0) throw', tests: [unit('credits/grants')],
  },
  {
    guard: 'expiry', what: 'The sweep does not look at a balance when a hold has expired.', file: 'credits/balance.ts',
    find: ', ...Object.values(holds).map(({ expiresAt }) => expiresAt)]', replace: ']', tests: [unit('credits/balance')],
  },
  {
    guard: 'release', what: 'The final settlement keeps the rest of the hold.', file: 'credits/settle.ts',
    find: 'if (last && draft.holds[sessionId])', replace: 'if (!last && settledDOFs < 0)', tests: [unit('credits/settle')],
  },
  {
    guard: 'release', what: 'A final checkpoint releases the hold of a session that has not ended.', file: 'credits/settle.ts',
    find: "checkpoint.final && session.settlement === 'pending'", replace: 'checkpoint.final', tests: [unit('credits/settle')],
  },
];

/** Mutants of the prices. */
export const priceMutations: Mutation[] = [
  {
    guard: 'price bound', what: 'A turn may cost nothing.', file: 'credits/prices.ts',
    find: 'return Math.max(1, price);', replace: 'return price;', tests: [unit('credits/prices')],
  },
  {
    guard: 'price bound', what: 'A turn may cost more than was held for it.', file: 'credits/prices.ts',
    find: 'Math.min(held, inputPrice(rates, input) + usagePrice(rates, usage))', replace: 'inputPrice(rates, input) + usagePrice(rates, usage)', tests: [unit('credits/prices')],
  },
  {
    guard: 'price bound', what: 'A vendor may report less than no tokens.', file: 'providers/usage.ts',
    find: ' || value < 0) return undefined;', replace: ') return undefined;', tests: [unit('providers/usage')],
  },
  {
    guard: 'price bound', what: 'A vendor may report more tokens than any model has.', file: 'providers/usage.ts',
    find: 'return Math.min(mostTokens, Math.round(value));', replace: 'return Math.round(value);', tests: [unit('providers/usage')],
  },
];
