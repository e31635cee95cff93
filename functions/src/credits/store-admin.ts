import { Timestamp, type DocumentSnapshot } from 'firebase-admin/firestore';
import type { AgentDoc } from '../agents/schema.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import { change, type Change } from './balance.ts';
import { debit, grantLot, lapseLots, voidLot, type Because } from './grants.ts';
import { expireHold, placeHold, postHold, resolveHold } from './holds.ts';
import type { AdjustResult, GrantResult, HoldResult, VoidResult } from './operations.ts';
import type { GrantSource, ResolvedHoldDoc, Rollover } from './schema.ts';
import { changeMoney, changeMoneyOnce, grantsRef, holdsRef, ledgerRef, writeGrant, writeMoney, writeResolvedHold, type Idempotency, type Target } from './store.ts';

/** A grant to make. Times in ms since the epoch. */
export interface NewGrant {
  grantId: string;
  amount: number;
  source: GrantSource;
  priority: number;
  expiresAt: number | null;
  rollover: Rollover | null;
}

/** Opens a lot with its grant; debt is repaid from it in the same commit. Errors as changeMoneyOnce and grantLot. */
export async function grant(key: Idempotency, target: Target, granted: NewGrant, because: Because): Promise<GrantResult & { replayed: boolean }> {
  const { grantId, amount, source, priority, rollover } = granted;
  return changeMoneyOnce(key, target, (agent) => {
    const at = now();
    const lot = { source, priority, rollover, expiresAt: granted.expiresAt === null ? null : Timestamp.fromMillis(granted.expiresAt), createdAt: Timestamp.fromMillis(at) };
    const money = change(agent.data()!, at, (draft) => grantLot(draft, grantId, amount, lot, { type: 'grant', operationId: grantId, ...because }, at));
    const debtRepaid = agent.data()!.debtDOFs - money.balance.debtDOFs;
    const result = { grantId, debtRepaid, ...outcomeOf(money) };
    return { result, write: (batch) => {
      writeMoney(batch, agent, money, [{ type: 'agent.dofs_granted', data: { ...result, source } }]);
      writeGrant(batch, agent.ref, { grantId, source, amount, priority, rollover, expiresAt: lot.expiresAt, ...because });
    } };
  });
}

/** Voids what is left of a grant. Errors as changeMoneyOnce and voidLot, and `not-found` for an unknown grant. */
export async function voidGrant(key: Idempotency, target: Target, grantId: string, because: Because): Promise<VoidResult & { replayed: boolean }> {
  return changeMoneyOnce(key, target, async (agent) => {
    if (!Object.hasOwn(agent.data()!.lots, grantId) && !(await grantsRef(agent.ref).doc(grantId).get()).exists) throw new AppError('not-found', 'This agent has no grant with this id.', { reason: 'not_found' });
    const at = now();
    const money = change(agent.data()!, at, (draft) => voidLot(draft, grantId, because, at));
    const heldBack = money.balance.lots[grantId]?.remaining ?? 0;
    const result = { grantId, voidedDOFs: -(money.entries[0]?.amount ?? 0), heldDOFs: heldBack, ...outcomeOf(money) };
    return { result, write: (batch) => writeMoney(batch, agent, money, [{ type: 'agent.grant_voided', data: { ...result } }]) };
  });
}

/** A correction of a balance: positive opens a lot of source `refund` or `admin`, negative takes what no hold has taken, from the lots of the corrected entry first. */
export interface Adjustment extends Because {
  /** Id of the lot that a positive one opens, and part of the entry's id. */
  adjustmentId: string;
  amount: number;
  correctsEntryId: string | null;
}

/** Adjusts a balance by a signed amount. Errors as changeMoneyOnce and debit, and `not-found` for an unknown entry to correct. */
export async function adjust(key: Idempotency, target: Target, adjustment: Adjustment): Promise<AdjustResult & { replayed: boolean }> {
  const { adjustmentId, amount, correctsEntryId, reason, actor } = adjustment;
  return changeMoneyOnce(key, target, async (agent) => {
    const corrected = correctsEntryId === null ? null : (await ledgerRef(agent.ref).doc(correctsEntryId).get()).data();
    if (corrected === undefined) throw new AppError('not-found', 'This agent has no ledger entry with the id correctsEntryId.', { reason: 'not_found' });
    const at = now();
    const about = { type: 'adjustment' as const, operationId: adjustmentId, reason, actor, ...(correctsEntryId === null ? {} : { correctsEntryId }) };
    const lot = { source: correctsEntryId === null ? 'admin' as const : 'refund' as const, priority: 50, rollover: null, expiresAt: null, createdAt: Timestamp.fromMillis(at) };
    const money = change(agent.data()!, at, (draft) => (amount > 0 ? grantLot(draft, adjustmentId, amount, lot, about, at) : debit(draft, -amount, about, at, corrected?.lots.map(({ grantId }) => grantId))));
    const result = { grantId: amount > 0 ? adjustmentId : null, ...outcomeOf(money) };
    return { result, write: (batch) => {
      writeMoney(batch, agent, money, [{ type: 'agent.balance_adjusted', data: { ...result, correctsEntryId } }]);
      if (amount > 0) writeGrant(batch, agent.ref, { grantId: adjustmentId, amount, source: lot.source, priority: lot.priority, rollover: null, expiresAt: null, reason, actor });
    } };
  });
}

/** What a hold is placed for: an operation of a service outside. Errors as changeMoneyOnce and placeHold. */
export async function hold(key: Idempotency, target: Target, holdId: string, amount: number, ttlMs: number): Promise<HoldResult & { replayed: boolean }> {
  return changeMoneyOnce(key, target, (agent) => {
    const at = now();
    const expiresAt = Timestamp.fromMillis(at + ttlMs);
    const money = change(agent.data()!, at, (draft) => placeHold(draft, holdId, amount, { sessionId: null, expiresAt, createdAt: Timestamp.fromMillis(at) }, at));
    const result = { holdId, state: 'pending' as const, heldDOFs: amount, postedDOFs: 0, releasedDOFs: 0, expiresAt: expiresAt.toDate().toISOString() };
    return { result, write: (batch) => writeMoney(batch, agent, money, [{ type: 'hold.placed', data: result }]) };
  });
}

/**
 * Resolves a pending hold once: posts `amount` DOFs of it and releases the rest; 0 releases it all. A repeat that asks
 * for the same gets the first result.
 * @throws AppError `not-found`, `failed-precondition` (hold_resolved: differently, or by its expiry), `invalid-argument`
 *   for more than is held.
 */
export async function resolve(target: Target, holdId: string, amount: number, because: Because): Promise<ResolvedHoldDoc | Omit<ResolvedHoldDoc, 'resolvedAt'>> {
  return changeMoney<ResolvedHoldDoc | Omit<ResolvedHoldDoc, 'resolvedAt'>>(target, async (agent) => {
    const pending = Object.hasOwn(agent.data()!.holds, holdId) ? agent.data()!.holds[holdId] : undefined;
    if (!pending || pending.sessionId !== null) return { result: await resolvedBefore(agent, holdId, amount) };
    if (amount > pending.amount) throw new AppError('invalid-argument', `This hold is for ${pending.amount} DOFs; no more can be posted from it.`, { reason: 'bad_input' });
    const state = amount > 0 ? 'posted' : 'released';
    let resolved!: Omit<ResolvedHoldDoc, 'resolvedAt'>;
    const at = now();
    const money = change(agent.data()!, at, (draft) => {
      postHold(draft, holdId, amount, { type: 'post', operationId: `post-${holdId}`, ...because }, at);
      resolved = resolveHold(draft, holdId, state);
    });
    return { result: resolved, write: (batch) => {
      const { postedDOFs, releasedDOFs } = resolved;
      writeMoney(batch, agent, money, [{ type: `hold.${state}`, data: { holdId, postedDOFs, releasedDOFs, balanceAfter: money.balance.currentDOFs } }]);
      writeResolvedHold(batch, agent.ref, resolved);
    } };
  });
}

async function resolvedBefore(agent: DocumentSnapshot<AgentDoc>, holdId: string, amount: number): Promise<ResolvedHoldDoc> {
  const known = (await holdsRef(agent.ref).doc(holdId).get()).data();
  if (!known || known.sessionId !== null) throw new AppError('not-found', 'This agent has no hold with this id.', { reason: 'not_found' });
  if (known.state !== 'expired' && known.postedDOFs === amount) return known;
  throw new AppError('failed-precondition', `This hold is resolved already: ${known.state}, ${known.postedDOFs} DOFs posted.`, { reason: 'hold_resolved', state: known.state, postedDOFs: known.postedDOFs });
}

/** Balances on which something is due: a lot or a hold has expired. The agent documents, the longest due first. */
export async function dueBalances(now: number, limit: number): Promise<AgentDoc[]> {
  const query = db().collectionGroup('agents').where('dueAt', '<=', Timestamp.fromMillis(now)).orderBy('dueAt').limit(limit);
  return (await query.get()).docs.map((doc) => doc.data() as AgentDoc);
}

/**
 * Does what is due on one balance: expires lots (rolling over what their grant says), resolves holds of services and of
 * voice tokens (released, or posted where they pay in advance), and those of sessions that are gone (`orphaned`): others
 * are resolved by the end of their session. Null when nothing was due.
 */
export async function lapse(target: Target, orphaned: string[] = []): Promise<Change | null> {
  return changeMoney<Change | null>(target, (agent) => {
    const at = now();
    const expired = Object.entries(agent.data()!.holds).filter(([holdId, { sessionId, expiresAt }]) => (sessionId === null || orphaned.includes(holdId)) && expiresAt.toMillis() <= at).map(([holdId]) => holdId);
    let rolled: ReturnType<typeof lapseLots> = [];
    let resolved: ReturnType<typeof resolveHold>[] = [];
    const money = change(agent.data()!, at, (draft) => {
      resolved = expired.map((holdId) => expireHold(draft, holdId, at));
      rolled = lapseLots(draft, at, (moment, days) => Timestamp.fromMillis(moment.toMillis() + days * dayMs));
    });
    if (money.entries.length === 0 && resolved.length === 0) return { result: null };
    // Neither the repayment of a debt from what a hold gives back nor the posting of a hold is the expiry of a lot.
    const lapsed = money.entries.filter(({ type }) => type !== 'repayment' && type !== 'post');
    const expiredDOFs = lapsed.reduce((sum, { amount }) => sum - amount, 0);
    return { result: money, write: (batch) => {
      writeMoney(batch, agent, money, [
        ...resolved.map(({ holdId, state, postedDOFs, releasedDOFs }) => (state === 'posted'
          ? { type: 'hold.posted' as const, data: { holdId, postedDOFs, releasedDOFs, balanceAfter: money.balance.currentDOFs } }
          : { type: 'hold.expired' as const, data: { holdId, releasedDOFs } })),
        ...(lapsed.length === 0 ? [] : [{ type: 'agent.dofs_expired' as const, data: { expiredDOFs, balanceAfter: money.balance.currentDOFs, grants: lapsed.flatMap(({ grantId }) => grantId ?? []) } }]),
      ]);
      for (const each of resolved) writeResolvedHold(batch, agent.ref, each);
      for (const { grantId, from, amount, lot: { source, priority, expiresAt } } of rolled) {
        writeGrant(batch, agent.ref, { grantId, amount, source, priority, expiresAt, rollover: null, reason: `rolled over from ${from}`, actor: 'system' });
      }
    } };
  });
}
const dayMs = 24 * 60 * 60 * 1000;

function outcomeOf({ entries, balance }: Change): { entryId: string | null; amount: number; balanceAfter: number } {
  const [entry] = entries;
  return { entryId: entry?.operationId ?? null, amount: entry?.amount ?? 0, balanceAfter: balance.currentDOFs };
}
