import { randomUUID } from 'node:crypto';
import type { CollectionReference, DocumentReference, Firestore } from 'firebase-admin/firestore';

/** A collection of a test's own. */
export function freshCollection(firestore: Firestore): CollectionReference {
  return firestore.collection(`contract-${randomUUID()}`);
}

/** A document of a test's own. */
export async function freshDocument(firestore: Firestore, data: object): Promise<DocumentReference> {
  const ref = freshCollection(firestore).doc('one');
  await ref.set(data);
  return ref;
}

/** The data of a document; undefined when it is missing. */
export async function dataOf(ref: DocumentReference): Promise<unknown> {
  return (await ref.get()).data();
}
