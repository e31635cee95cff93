import type { DocumentSnapshot } from '../../../functions/test/sdk.ts';
import type { Firestore } from '../../admin.ts';
import { createDeliveries, type Events } from './events.ts';

const created = 'google.cloud.firestore.document.v1.created';

/**
 * The events of a suite that posts its own elsewhere: every document that is created is seen by a listener, read as JSON
 * and handed on. Only creations, and later than events come: for tests of the benchmarks, not for their figures.
 */
export function watchEvents(firestore: Firestore): Events {
  const deliveries = createDeliveries();
  const stops: (() => void)[] = [];
  return {
    ...deliveries,
    get pending() {
      return deliveries.pending;
    },
    address: '',
    register: async (firestoreUrl, projectId, triggers) => {
      for (const { target, document } of triggers.filter(({ type }) => type === created)) {
        let known = false;
        await new Promise<void>((resolve, reject) => {
          stops.push(firestore.collectionGroup(document.split('/').at(-2)!).onSnapshot((snapshot) => {
            for (const { doc } of snapshot.docChanges().filter(({ type }) => known && type === 'added')) {
              void eventOf(doc, firestoreUrl, projectId).then(({ headers, body }) => deliveries.deliver(target, headers, body));
            }
            known = true;
            resolve();
          }, reject));
        });
      }
    },
    close: () => { for (const stop of stops) stop(); },
  };
}

/** The event of a document that was created, as functions take it. */
async function eventOf({ id, ref: { path }, createTime }: DocumentSnapshot, firestoreUrl: string, projectId: string): Promise<{ headers: Record<string, string>; body: Buffer }> {
  const database = `projects/${projectId}/databases/(default)`;
  const answer = await fetch(`${firestoreUrl}/v1/${database}/documents/${path}`, { headers: { authorization: 'Bearer owner' } });
  return {
    headers: {
      'content-type': 'application/json', 'ce-datacontenttype': 'application/json', 'ce-specversion': '1.0', 'ce-id': id, 'ce-type': created, 'ce-time': createTime!.toDate().toISOString(),
      'ce-source': `//firestore.googleapis.com/${database}`, 'ce-subject': `documents/${path}`, 'ce-document': path, 'ce-project': projectId, 'ce-database': '(default)', 'ce-namespace': '(default)', 'ce-location': 'us-central1',
    },
    body: Buffer.from(JSON.stringify({ value: await answer.json() })),
  };
}
