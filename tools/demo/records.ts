import type { AgentDoc } from '../../functions/src/agents/schema.ts';
import type { GrantDoc, LedgerDoc } from '../../functions/src/credits/schema.ts';
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
  grants: Pick<GrantDoc, 'remaining'>[];
  ledger: LedgerEntry[];
  session: Pick<SessionDoc, 'status' | 'closeReason' | 'consumedDOFs' | 'settledDOFs' | 'heldDOFs' | 'settlement'>;
  /** Ids of the events about the session that were committed with its changes. */
  outbox: string[];
}

const agentPath = (uid: string, agentInstanceId: string) => `users/${uid}/agents/${agentInstanceId}`;

/** Balance of an agent now. */
export async function readBalance(firestore: Firestore, uid: string, agentInstanceId: string): Promise<Balance> {
  const { currentDOFs, heldDOFs, debtDOFs } = (await firestore.doc(agentPath(uid, agentInstanceId)).get()).data() as AgentDoc;
  return { currentDOFs, heldDOFs, debtDOFs };
}

/** Everything the databases hold about the agent's money and the session. */
export async function readRecords(firestore: Firestore, { uid, agentInstanceId, sessionId }: { uid: string; agentInstanceId: string; sessionId: string }): Promise<Records> {
  const agent = firestore.doc(agentPath(uid, agentInstanceId));
  const [balance, grants, ledger, session, outbox] = await Promise.all([
    readBalance(firestore, uid, agentInstanceId),
    agent.collection('grants').get(),
    agent.collection('ledger').orderBy('seq').get(),
    firestore.doc(`sessions/${sessionId}`).get(),
    firestore.collection('outbox').where('subject', '==', sessionId).get(),
  ]);
  const { status, closeReason, consumedDOFs, settledDOFs, heldDOFs, settlement } = session.data() as SessionDoc;
  return {
    balance,
    grants: grants.docs.map((doc) => ({ remaining: (doc.data() as GrantDoc).remaining })),
    ledger: ledger.docs.map((doc) => {
      const entry = doc.data() as LedgerDoc;
      return { ...entry, entryId: doc.id, createdAt: entry.createdAt.toDate().toISOString() };
    }),
    session: { status, closeReason, consumedDOFs, settledDOFs, heldDOFs, settlement },
    outbox: outbox.docs.map((doc) => (doc.data() as OutboxDoc).eventId),
  };
}
