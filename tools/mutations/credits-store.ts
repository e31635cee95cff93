import type { Mutation } from './mutation.ts';
import { crash, parallel, unit } from './tests.ts';

/** Mutants of the commits that write money. */
export const creditStoreMutations: Mutation[] = [
  {
    guard: 'idempotency', what: 'An operation is carried out again under its key.', file: 'credits/store.ts',
    find: 'if (known) return {', replace: 'if (known === null) return {', tests: [unit('credits/store'), crash('grant')],
  },
  {
    guard: 'idempotency', what: 'A key that came with another body gets the result of the first.', file: 'credits/store.ts',
    find: 'if (known && known.fingerprint !== fingerprint) {', replace: 'if (known && known.fingerprint === null) {', tests: [unit('credits/store'), parallel('one payment')],
  },
  {
    guard: 'created once', what: 'An operation is noted over the one with the same key that was faster.', file: 'credits/store.ts',
    find: 'batch.create(operation, {', replace: 'batch.set(operation, {', tests: [unit('credits/store'), parallel('one payment')],
  },
  {
    guard: 'created once', what: 'An entry of the ledger is written over the one with the same id.', file: 'credits/store.ts',
    find: 'batch.create(ledgerRef(', replace: 'batch.set(ledgerRef(', tests: [unit('credits/store')],
  },
  {
    guard: 'created once', what: 'A hold is resolved over how it was resolved before.', file: 'credits/store.ts',
    find: 'batch.create(holdsRef(', replace: 'batch.set(holdsRef(', tests: [unit('credits/store')],
  },
  {
    guard: 'precondition', what: 'Money is written although the agent has changed since it was read.', file: 'credits/store.ts',
    find: 'version: version + all.length }, unchanged(snapshot));', replace: 'version: version + all.length });', tests: [unit('credits/store')],
  },
  {
    guard: 'precondition', what: 'A settlement is written although the session has changed since it was read.', file: 'credits/store-settle.ts',
    find: 'settlement.session, unchanged(session));', replace: '{ ...settlement.session });', tests: [unit('credits/store')],
  },
  {
    guard: 'event', what: 'Money changes without an event in the same commit.', file: 'credits/store.ts',
    find: 'batch.create(outboxRef(event.eventId), toOutbox(event));', replace: '', tests: [crash('grant')],
  },
  {
    guard: 'event', what: 'A settlement has no event in the same commit.', file: 'credits/store-settle.ts',
    find: 'batch.create(outboxRef(event.eventId), toOutbox(event));', replace: '', tests: [crash('endSession')],
  },
  {
    guard: 'expiry', what: 'A lapse resolves holds that have not expired.', file: 'credits/store-admin.ts',
    find: ' && expiresAt.toMillis() <= at)', replace: ')', tests: [unit('credits/store')],
  },
];
