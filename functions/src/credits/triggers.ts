import { onDocumentCreated } from 'firebase-functions/firestore';
import { runTrigger } from '../runtime/trigger.ts';
import type { CheckpointDoc } from './schema.ts';
import { settleCheckpoint as settle } from './store-settle.ts';

/** Settles a session's metered total against the agent's balance. Safe to repeat and to deliver out of order. */
export const settleCheckpoint = onDocumentCreated(
  { document: 'sessions/{sessionId}/checkpoints/{checkpointId}', retry: true },
  async (event) => {
    const { data, params: { sessionId } } = event;
    const checkpoint = data?.data() as CheckpointDoc | undefined;
    if (checkpoint) await runTrigger('settleCheckpoint', { sessionId }, () => settle(checkpoint));
  },
);
