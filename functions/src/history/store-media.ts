import type { CollectionReference } from 'firebase-admin/firestore';
import type { MediaDoc } from '../media/schema.ts';
import { deleteAllOf } from '../runtime/commit.ts';
import { sessionRef } from '../sessions/store.ts';

/** sessions/{sessionId}/media */
const mediaRef = (sessionId: string) => sessionRef(sessionId).collection('media') as CollectionReference<MediaDoc>;

const filesPerRead = 100;

/** What is known of the kept files of a session, oldest first, some at a time. */
export async function* keptMedia(sessionId: string): AsyncGenerator<MediaDoc[]> {
  const oldestFirst = mediaRef(sessionId).orderBy('createdAt').limit(filesPerRead);
  for (let next = oldestFirst; ;) {
    const { docs } = await next.get();
    if (docs.length > 0) yield docs.map((doc) => doc.data());
    if (docs.length < filesPerRead) return;
    next = oldestFirst.startAfter(docs.at(-1)!);
  }
}

/** Removes what was kept of a session's turns. */
export async function removeMedia(sessionId: string): Promise<void> {
  await deleteAllOf(mediaRef(sessionId));
}
