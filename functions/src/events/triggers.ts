import { onDocumentCreated } from 'firebase-functions/firestore';
import { publishOutbox } from './store.ts';

/** Publishes every business event of the outbox to its Pub/Sub topic; the sweep repeats what fails here for long. */
export const publishEvent = onDocumentCreated({ document: 'outbox/{eventId}', retry: true }, async (event) => {
  if (event.data) await publishOutbox(event.data);
});
