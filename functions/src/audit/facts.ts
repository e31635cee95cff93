import type { Timestamp } from 'firebase-admin/firestore';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import type { GrantDoc, LedgerDoc, ResolvedHoldDoc } from '../credits/schema.ts';
import type { SessionDoc } from '../sessions/schema.ts';

/** All that is known of one agent's money, by document id. It must be of one moment: the store sees to that. */
export interface AgentFacts {
  /** From the path of the agent document. */
  userId: string;
  agentInstanceId: string;
  agent: AgentDoc;
  ledger: Record<string, LedgerDoc>;
  grants: Record<string, GrantDoc>;
  resolvedHolds: Record<string, ResolvedHoldDoc>;
  /** The sessions that name the agent, and those that its holds, its ledger and its user name; one that is missing is not there. */
  sessions: Record<string, SessionDoc>;
  /** Null when the account is gone. */
  user: UserDoc | null;
  /** When it was read; ms since the epoch. */
  at: number;
}

/** What can be wrong, and what that means. */
export const driftKinds = {
  'document.malformed': 'a document does not have the fields that its kind has',
  'entry.id': 'a ledger entry does not stand under its operationId',
  'entry.amount': 'the amount of a ledger entry is not the sum of its lots less its debt, in whole DOFs',
  'entry.form': 'a ledger entry is not what its type says',
  'entry.balanceAfter': 'a ledger entry does not continue the balance of the one before',
  'entry.belowZero': 'a ledger entry takes a lot or the debt below zero',
  'entry.corrects': 'a ledger entry corrects one that does not exist',
  'ledger.seq': 'the entries of the ledger are not numbered 1 to n',
  'ledger.missing': 'the agent document knows of entries at the end of the ledger that are not there',
  'grant.record': 'a grant contradicts its ledger entry',
  'grant.recordMissing': 'a lot was opened without the record of its grant',
  'grant.entryMissing': 'a grant has no ledger entry',
  'grant.openedTwice': 'a lot was opened by more than one ledger entry',
  'agent.missing': 'there are grants of an agent whose document is gone',
  'agent.identity': 'the agent document names another owner or agent than its path',
  'agent.currentDOFs': 'the balance is not what the ledger adds up to',
  'agent.debtDOFs': 'the debt is not what the ledger adds up to',
  'agent.seq': 'the number of entries is not that of the ledger',
  'agent.heldDOFs': 'the held DOFs are not the sum of the holds',
  'agent.dueAt': 'the sweep is told the wrong moment',
  'agent.unpaidDebt': 'there is a debt although DOFs are available',
  'lot.remaining': 'a lot is not what the ledger left of it',
  'lot.terms': 'a lot has other terms than its grant',
  'lot.voided': 'the ledger has voided a lot that is open',
  'hold.amount': 'a hold is not the sum of what it has taken from lots',
  'hold.overdrawn': 'holds have taken more from a lot than it has',
  'hold.postedDOFs': 'a pending hold says another posted amount than the ledger',
  'hold.session': 'a hold under the id of a session names another session',
  'hold.expiresAt': 'a hold expires at another moment than its session',
  'hold.orphan': 'a hold is pending for a session that is settled or gone',
  'hold.missing': 'an open session has no hold',
  'hold.resolvedTwice': 'a hold is pending although it is resolved',
  'hold.resolvedEarly': 'the hold of an open session is resolved',
  'hold.overdue': 'a hold has outlived its expiry',
  'hold.record': 'the record of a resolved hold contradicts itself or the ledger',
  'hold.recordMissing': 'the hold of a settled session has left no record',
  'session.agent': 'a session that the agent refers to belongs to another agent',
  'session.state': 'status, settlement and end of a session contradict each other',
  'session.settledDOFs': 'a session says another settled amount than the ledger',
  'session.consumedDOFs': 'the consumption of a session does not fit what is settled and held',
  'session.heldDOFs': 'a session says another held amount than the agent',
  'session.unsettled': 'a session has ended and is not settled',
  'session.members': 'the members of a session, their list and their caps contradict each other, or its owner is none of them',
  'user.activeSessions': 'the open sessions of the user document are not those that are open',
  'user.sessionLimit': 'a user has more open sessions than its limit allows',
} as const;
export type DriftKind = keyof typeof driftKinds;

/** A value in a report: JSON, no personal data beyond ids. Null: absent. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** Two documents, or two parts of one, that contradict each other. */
export interface Drift {
  kind: DriftKind;
  /** Paths; the one that is wrong, as far as that can be told, first. */
  documents: string[];
  expected: Value;
  found: Value;
  /** Whether it is in a projection, and what it projects can be trusted. */
  repairable: boolean;
}

/** How long after its time something may still be in flight; ms. */
export const overdueMs = 10 * 60_000;

/** Paths of the documents of one agent. */
export function pathsOf({ userId, agentInstanceId }: Pick<AgentFacts, 'userId' | 'agentInstanceId'>) {
  const agent = `users/${userId}/agents/${agentInstanceId}`;
  return {
    user: `users/${userId}`,
    agent,
    ledger: `${agent}/ledger`,
    entry: (id: string) => `${agent}/ledger/${id}`,
    grant: (id: string) => `${agent}/grants/${id}`,
    hold: (id: string) => `${agent}/holds/${id}`,
    session: (id: string) => `sessions/${id}`,
  };
}
export type Paths = ReturnType<typeof pathsOf>;

/** The stage of a session; `unclear` when its status, its settlement and its end contradict each other. */
export function stageOf({ status, settlement, endedAt }: Pick<SessionDoc, 'status' | 'settlement' | 'endedAt'>): 'active' | 'pending' | 'done' | 'unclear' {
  if ((status === 'active') !== (settlement === 'open') || (status === 'active') !== (endedAt === null)) return 'unclear';
  return settlement === 'open' ? 'active' : settlement;
}

/** Whether a session is one of this agent. */
export function isOwn({ ownerId, agentInstanceId }: Pick<SessionDoc, 'ownerId' | 'agentInstanceId'>, facts: AgentFacts): boolean {
  return ownerId === facts.userId && agentInstanceId === facts.agentInstanceId;
}

/** A moment as a report shows it. */
export function shown(moment: Timestamp | null): string | null {
  return moment?.toDate().toISOString() ?? null;
}

/** Whether two moments are the same to the ms. */
export function sameMoment(one: Timestamp | null, other: Timestamp | null): boolean {
  return one?.toMillis() === other?.toMillis();
}
