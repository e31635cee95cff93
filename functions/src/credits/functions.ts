import type { Caller } from '../runtime/caller.ts';
import { operation } from '../runtime/operation.ts';
import {
  adjustBalanceInput, adjustBalanceOutput, fingerprintOf, grantDofsInput, grantDofsOutput, holdView, placeHoldInput, placeHoldOutput, postHoldInput, releaseHoldInput, voidGrantInput, voidGrantOutput,
} from './operations.ts';
import type { Idempotency } from './store.ts';
import { adjust, grant, hold, resolve, voidGrant as voidOne } from './store-admin.ts';

export const grantDofs = operation({
  name: 'grantDofs',
  summary: 'Grants DOFs to an agent as a lot; debt is repaid from it first.',
  access: 'admin',
  route: { method: 'post', path: '/grants' },
  replayProtected: true,
  input: grantDofsInput,
  output: grantDofsOutput,
  async handle(input, { caller }) {
    const { idempotencyKey, amount, source, priority, rollover, reason } = input;
    const expiresAt = input.expiresAt === undefined ? null : Date.parse(input.expiresAt);
    const key = keyOf('grant', input, caller);
    const granted = { grantId: `grant-${idempotencyKey}`, amount, source, priority, expiresAt, rollover: rollover ?? null };
    return grant(key, input, granted, { reason, actor: caller.uid });
  },
});

export const voidGrant = operation({
  name: 'voidGrant',
  summary: 'Takes back what is left of a grant; what sessions hold of it goes when they give it back.',
  access: 'admin',
  route: { method: 'post', path: '/grants/{grantId}/void' },
  input: voidGrantInput,
  output: voidGrantOutput,
  async handle(input, { caller }) {
    return voidOne(keyOf('void', input, caller), input, input.grantId, { reason: input.reason, actor: caller.uid });
  },
});

export const adjustBalance = operation({
  name: 'adjustBalance',
  summary: 'Corrects a balance by a signed amount, with a reason and, where there is one, the entry that it corrects.',
  access: 'admin',
  route: { method: 'post', path: '/adjustments' },
  replayProtected: true,
  input: adjustBalanceInput,
  output: adjustBalanceOutput,
  async handle(input, { caller }) {
    const { idempotencyKey, amount, correctsEntryId, reason } = input;
    const adjustment = { adjustmentId: `adjust-${idempotencyKey}`, amount, correctsEntryId: correctsEntryId ?? null, reason, actor: caller.uid };
    return adjust(keyOf('adjust', input, caller), input, adjustment);
  },
});

export const placeHold = operation({
  name: 'placeHold',
  summary: 'Sets DOFs of an agent aside for an operation of your own service; post or release them later.',
  access: 'admin',
  route: { method: 'post', path: '/holds' },
  input: placeHoldInput,
  output: placeHoldOutput,
  async handle(input, { caller }) {
    return hold(keyOf('hold', input, caller), input, `hold-${input.idempotencyKey}`, input.amount, input.ttlSeconds * 1_000);
  },
});

export const postHold = operation({
  name: 'postHold',
  summary: 'Debits a pending hold, in whole or in part, and releases the rest. Repeating it changes nothing.',
  access: 'admin',
  route: { method: 'post', path: '/holds/{holdId}/post' },
  input: postHoldInput,
  output: holdView,
  async handle(input, { caller }) {
    return { ...await resolve(input, input.holdId, input.amount, { reason: input.reason, actor: caller.uid }), heldDOFs: 0 };
  },
});

export const releaseHold = operation({
  name: 'releaseHold',
  summary: 'Gives a pending hold back to the lots it was taken from. Repeating it changes nothing.',
  access: 'admin',
  route: { method: 'post', path: '/holds/{holdId}/release' },
  input: releaseHoldInput,
  output: holdView,
  async handle(input, { caller }) {
    return { ...await resolve(input, input.holdId, 0, { reason: 'released', actor: caller.uid }), heldDOFs: 0 };
  },
});

/** Every body under one key of one kind of operation is the same, or it is a conflict. */
function keyOf(kind: string, input: { idempotencyKey: string }, { uid }: Caller): Idempotency {
  return { operationId: `${kind}-${input.idempotencyKey}`, fingerprint: fingerprintOf(input), actor: uid };
}
