import { Timestamp } from 'firebase-admin/firestore';
import type { UserDoc } from '../src/agents/schema.ts';
import type { AgentFacts } from '../src/audit/facts.ts';
import type { Repair } from '../src/audit/repair.ts';
import { change, type Draft } from '../src/credits/balance.ts';
import { debit, grantLot, lapseLots, voidLot, type RolledOver } from '../src/credits/grants.ts';
import { expireHold, extendHold, placeHold, postHold, prepayHold, resolveHold, type ResolvedHold } from '../src/credits/holds.ts';
import { availableIn } from '../src/credits/lots.ts';
import type { GrantDoc, LotDoc } from '../src/credits/schema.ts';
import { settle } from '../src/credits/settle.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import type { InviteRole } from '../src/sharing/schema.ts';
import { withMember } from '../src/sharing/sharing.ts';
import { agent, at, moment } from './money.ts';

export const minute = 60_000;
export const day = 24 * 60 * minute;
const because = { reason: 'a test', actor: 'root' };
const limits = { maxSessionsPerUser: 1, holdDOFs: 200, maxDOFsPerSession: 400, maxMembers: 3 };

/** All documents of one agent, changed only as the rules change them: what the stores would have written. */
export class Books {
  facts: AgentFacts = {
    userId: 'u1', agentInstanceId: 'a1', agent: agent(), ledger: {}, grants: {}, resolvedHolds: {}, sessions: {},
    user: { email: null, displayName: null, createdAt: at(moment), activeSessions: {} } satisfies UserDoc, at: moment,
  };

  tick(ms: number): this {
    this.facts.at += ms;
    return this;
  }

  grant(grantId: string, amount: number, { source = 'purchase', priority = 10, expiresAt = null, rollover = null }: Partial<LotDoc> = {}): this {
    const terms = { source, priority, expiresAt, rollover };
    this.change((draft) => grantLot(draft, grantId, amount, { ...terms, createdAt: at(this.facts.at) }, { type: 'grant', operationId: grantId, ...because }, this.facts.at));
    return this.record(grantId, amount, terms);
  }

  adjust(id: string, amount: number, correctsEntryId?: string): this {
    const about = { type: 'adjustment' as const, operationId: id, ...because, ...(correctsEntryId === undefined ? {} : { correctsEntryId }) };
    const terms = { source: 'refund' as const, priority: 50, expiresAt: null, rollover: null };
    this.change((draft) => (amount > 0 ? grantLot(draft, id, amount, { ...terms, createdAt: at(this.facts.at) }, about, this.facts.at) : debit(draft, -amount, about, this.facts.at)));
    return amount > 0 ? this.record(id, amount, terms) : this;
  }

  void(grantId: string): this {
    this.change((draft) => voidLot(draft, grantId, because, this.facts.at));
    return this;
  }

  hold(holdId: string, amount: number, ttlMs = day): this {
    const { at: now } = this.facts;
    this.change((draft) => placeHold(draft, holdId, amount, { sessionId: null, expiresAt: at(now + ttlMs), createdAt: at(now) }, now));
    return this;
  }

  /** A voice token of a session: a hold that is posted when it expires. */
  voice(holdId: string, sessionId: string, amount: number, ttlMs: number): this {
    const { at: now } = this.facts;
    this.change((draft) => {
      placeHold(draft, holdId, amount, { sessionId: null, originSessionId: sessionId, expiresAt: at(now + ttlMs), createdAt: at(now) }, now);
      prepayHold(draft, holdId);
    });
    return this;
  }

  resolve(holdId: string, amount: number): this {
    this.change((draft) => {
      postHold(draft, holdId, amount, { type: 'post', operationId: `post-${holdId}`, ...because }, this.facts.at);
      this.resolved(resolveHold(draft, holdId, amount > 0 ? 'posted' : 'released'));
    });
    return this;
  }

  /** What the sweep does about lots and holds whose time is over, but for those of sessions. */
  lapse(): this {
    const { at: now, agent: { holds } } = this.facts;
    const over = Object.keys(holds).filter((id) => holds[id]!.sessionId === null && holds[id]!.expiresAt.toMillis() <= now);
    let rolled: RolledOver[] = [];
    this.change((draft) => {
      for (const id of over) this.resolved(expireHold(draft, id, now));
      rolled = lapseLots(draft, now, (from, days) => at(from.toMillis() + days * day));
    });
    for (const { grantId, amount, lot } of rolled) this.record(grantId, amount, lot);
    return this;
  }

  start(sessionId: string): this {
    const { at: now, agent: { lots, holds }, userId: ownerId, agentInstanceId, user } = this.facts;
    const startingDOFs = availableIn(lots, holds, now);
    const heldDOFs = Math.min(startingDOFs, limits.holdDOFs);
    const session = {
      sessionId, ownerId, agentInstanceId, config: { limits }, status: 'active', closeReason: null, startingDOFs, consumedDOFs: 0, settledDOFs: 0, heldDOFs,
      members: { [ownerId]: 'owner' }, memberIds: [ownerId], memberCaps: {}, removedAt: {}, deletedAt: null,
      startedAt: at(now), expiresAt: at(now + 240 * minute), endedAt: null, generation: 1, version: 1, settlement: 'open', cleanupAt: null,
    } as unknown as SessionDoc;
    this.change((draft) => placeHold(draft, sessionId, heldDOFs, { sessionId, expiresAt: session.expiresAt, createdAt: session.startedAt }, now));
    this.facts.sessions[sessionId] = session;
    user!.activeSessions[sessionId] = agentInstanceId;
    return this;
  }

  /** Somebody joins, with a cap or without. */
  join(sessionId: string, uid: string, role: InviteRole, capDOFs: number | null = null): this {
    Object.assign(this.facts.sessions[sessionId]!, withMember(this.facts.sessions[sessionId]!, uid, role, capDOFs));
    return this;
  }

  extend(sessionId: string, more: number): this {
    this.change((draft) => extendHold(draft, sessionId, more, this.facts.at));
    this.facts.sessions[sessionId]!.heldDOFs += more;
    return this;
  }

  /** The session has consumed `total` and ends. */
  end(sessionId: string, total: number): this {
    Object.assign(this.facts.sessions[sessionId]!, { status: 'ended', closeReason: 'user', consumedDOFs: total, endedAt: at(this.facts.at), settlement: 'pending' } satisfies Partial<SessionDoc>);
    delete this.facts.user!.activeSessions[sessionId];
    return this;
  }

  settle(sessionId: string, total: number, final = false): this {
    const settlement = settle({ total, final }, this.facts.sessions[sessionId]!, this.facts.agent, this.facts.at);
    if (!settlement) return this;
    Object.assign(this.facts.sessions[sessionId]!, settlement.session);
    this.write(settlement.money);
    if (settlement.hold) this.resolved(settlement.hold);
    return this;
  }

  private change(act: (draft: Draft) => void): void {
    this.write(change(this.facts.agent, this.facts.at, act));
  }

  private write({ balance, entries }: ReturnType<typeof change>): void {
    this.facts.agent = { ...this.facts.agent, ...balance };
    for (const entry of entries) this.facts.ledger[entry.operationId] = { ...entry, createdAt: at(this.facts.at) };
  }

  private record(grantId: string, amount: number, { source, priority, expiresAt, rollover }: Pick<GrantDoc, 'source' | 'priority' | 'expiresAt' | 'rollover'>): this {
    this.facts.grants[grantId] = { grantId, amount, source, priority, expiresAt, rollover, ...because, createdAt: at(this.facts.at) };
    return this;
  }

  private resolved(hold: ResolvedHold): void {
    this.facts.resolvedHolds[hold.holdId] = { ...hold, resolvedAt: at(this.facts.at) };
  }
}

/** A copy to break. */
export function copy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copy) as T;
  if (typeof value !== 'object' || value === null || value instanceof Timestamp) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)])) as T;
}

/** The documents after a repair; what a repair may not write is the same object as before. */
export function repaired(facts: AgentFacts, { agent: balance, released, sessions, activeSessions }: Repair): AgentFacts {
  return {
    ...facts,
    agent: { ...facts.agent, ...balance },
    resolvedHolds: { ...facts.resolvedHolds, ...Object.fromEntries(released.map((hold) => [hold.holdId, { ...hold, resolvedAt: at(facts.at) }])) },
    sessions: Object.fromEntries(Object.entries(facts.sessions).map(([id, session]) => [id, { ...session, ...sessions[id] }])),
    user: facts.user && { ...facts.user, activeSessions: activeSessions ?? facts.user.activeSessions },
  };
}

/** A history with something of everything: grants, one that expired into another, one void and held, corrections, three holds of services, four sessions. */
export function fullBooks(): Books {
  return new Books()
    .grant('bought', 1_000, { priority: 20 })
    .grant('trial', 300, { source: 'trial', priority: 5, expiresAt: at(moment + 10 * day), rollover: { maxDOFs: 40, days: 30 } })
    .start('s-old').tick(minute).settle('s-old', 70).extend('s-old', 30).settle('s-old', 120).end('s-old', 150).settle('s-old', 150, true)
    .start('s-none').end('s-none', 0).settle('s-none', 0, true)
    .tick(10 * day).lapse()
    .grant('spare', 500, { priority: 30, expiresAt: at(moment + 100 * day) })
    .grant('gift', 110, { source: 'admin', priority: 1 })
    .hold('h-open', 50).hold('h-posted', 30).hold('h-expired', 20, minute).resolve('h-posted', 25).void('gift')
    .tick(2 * minute).lapse()
    .adjust('refund', 45, 'settle-s-old-150').adjust('fee', -15)
    .start('s-pending').tick(minute).settle('s-pending', 35).end('s-pending', 55)
    .start('s-open').tick(minute).settle('s-open', 65);
}

/** A history that ends in debt: more was consumed than there was. */
export function indebtedBooks(): Books {
  return new Books().grant('g', 100).start('s').settle('s', 100).settle('s', 130);
}
