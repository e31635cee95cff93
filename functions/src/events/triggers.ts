import { onDocumentCreated } from 'firebase-functions/firestore';
import { runTrigger } from '../runtime/trigger.ts';
import { publishOutbox, sessionOf } from './store.ts';

/** Publishes every business event of the outbox to its Pub/Sub topic; the sweep repeats what fails here for long. */
export const publishEvent = onDocumentCreated({ document: 'outbox/{eventId}', retry: true }, async (event) => {
  const { data } = event;
  if (data) await runTrigger('publishEvent', { sessionId: sessionOf(data) }, () => publishOutbox(data));
});
