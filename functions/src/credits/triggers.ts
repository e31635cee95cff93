import { onDocumentCreated } from 'firebase-functions/firestore';
import type { CheckpointDoc } from './schema.ts';
import { settleCheckpoint as settle } from './store-settle.ts';

/** Settles a session's metered total against the agent's balance. Safe to repeat and to deliver out of order. */
export const settleCheckpoint = onDocumentCreated(
  { document: 'sessions/{sessionId}/checkpoints/{checkpointId}', retry: true },
  async (event) => {
    const checkpoint = event.data?.data() as CheckpointDoc | undefined;
    if (checkpoint) await settle(checkpoint);
  },
);
