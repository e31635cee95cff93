import type { AgentDoc } from '../../functions/src/agents/schema.ts';
import type { LedgerDoc, LotDoc, ResolvedHoldDoc } from '../../functions/src/credits/schema.ts';
import type { OutboxDoc } from '../../functions/src/events/store.ts';
import type { SessionDoc } from '../../functions/src/sessions/schema.ts';
import type { Firestore } from '../admin.ts';

/** Balance of an agent. */
export type Balance = Pick<AgentDoc, 'currentDOFs' | 'heldDOFs' | 'debtDOFs'>;

/** A ledger entry with its id. */
export type LedgerEntry = Omit<LedgerDoc, 'createdAt'> & { entryId: string; createdAt: string };

/** The raw documents that the sums are checked against. */
export interface Records {
  balance: Balance;
  /** What is left of each open lot. */
  lots: Pick<LotDoc, 'remaining'>[];
  ledger: LedgerEntry[];
  /** How the session's hold was resolved; null while it is pending. */
  hold: Pick<ResolvedHoldDoc, 'state' | 'postedDOFs' | 'releasedDOFs'> | null;
  session: Pick<SessionDoc, 'status' | 'closeReason' | 'consumedDOFs' | 'settledDOFs' | 'heldDOFs' | 'settlement'>;
  /** Ids of the events about the session that were committed with its changes. */
  outbox: string[];
}

const agentPath = (uid: string, agentInstanceId: string) => `users/${uid}/agents/${agentInstanceId}`;

const toBalance = ({ currentDOFs, heldDOFs, debtDOFs }: AgentDoc): Balance => ({ currentDOFs, heldDOFs, debtDOFs });

/** Balance of an agent now. */
export async function readBalance(firestore: Firestore, uid: string, agentInstanceId: string): Promise<Balance> {
  return toBalance((await firestore.doc(agentPath(uid, agentInstanceId)).get()).data() as AgentDoc);
}

/** Everything the databases hold about the agent's money and the session. */
export async function readRecords(firestore: Firestore, { uid, agentInstanceId, sessionId }: { uid: string; agentInstanceId: string; sessionId: string }): Promise<Records> {
  const ref = firestore.doc(agentPath(uid, agentInstanceId));
  const [snapshot, hold, ledger, session, outbox] = await Promise.all([
    ref.get(),
    ref.collection('holds').doc(sessionId).get(),
    ref.collection('ledger').orderBy('seq').get(),
    firestore.doc(`sessions/${sessionId}`).get(),
    firestore.collection('outbox').where('subject', '==', sessionId).get(),
  ]);
  const agent = snapshot.data() as AgentDoc;
  const { status, closeReason, consumedDOFs, settledDOFs, heldDOFs, settlement } = session.data() as SessionDoc;
  return {
    balance: toBalance(agent),
    lots: Object.values(agent.lots).map(({ remaining }) => ({ remaining })),
    hold: toHold(hold.data() as ResolvedHoldDoc | undefined),
    ledger: ledger.docs.map((doc) => {
      const entry = doc.data() as LedgerDoc;
      return { ...entry, entryId: doc.id, createdAt: entry.createdAt.toDate().toISOString() };
    }),
    session: { status, closeReason, consumedDOFs, settledDOFs, heldDOFs, settlement },
    outbox: outbox.docs.map((doc) => (doc.data() as OutboxDoc).eventId),
  };
}

function toHold(hold: ResolvedHoldDoc | undefined): Records['hold'] {
  return hold ? { state: hold.state, postedDOFs: hold.postedDOFs, releasedDOFs: hold.releasedDOFs } : null;
}
