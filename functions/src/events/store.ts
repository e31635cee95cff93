import { FieldValue, Timestamp, type DocumentReference, type DocumentSnapshot } from 'firebase-admin/firestore';
import { db, pubsub } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import { toEnvelope, type DomainEvent } from './events.ts';

/** outbox/{eventId}: an event written in the same commit as the change it describes. */
export interface OutboxDoc extends DomainEvent {
  createdAt: Timestamp;
  published: boolean;
  /** TTL: when Firestore may delete the document. */
  deleteAt: Timestamp;
}

const retentionMs = 30 * 24 * 60 * 60 * 1000;

/** outbox/{eventId} */
export function outboxRef(eventId: string): DocumentReference {
  return db().collection('outbox').doc(eventId);
}

/** Writes an event that no other document changes with; a repeat changes nothing. */
export async function recordEvent(event: DomainEvent): Promise<void> {
  await outboxRef(event.eventId).set(toOutbox(event));
}

/** The document for an event that is about to be committed with its change. */
export function toOutbox(event: DomainEvent): object {
  return { ...event, createdAt: FieldValue.serverTimestamp(), published: false, deleteAt: Timestamp.fromMillis(now() + retentionMs) };
}

/**
 * Publishes an outbox event under its subject's ordering key and marks it published. At least once: a crash in
 * between publishes it again with the same id.
 */
export async function publishOutbox(snapshot: DocumentSnapshot): Promise<void> {
  const event = snapshot.data() as OutboxDoc | undefined;
  if (!event || event.published) return;
  const json = toEnvelope(event, event.createdAt.toDate());
  await publish(event.topic, {
    json,
    orderingKey: event.subject,
    attributes: { eventId: event.eventId, eventType: event.type, timestamp: json.timestamp },
  });
  await snapshot.ref.update({ published: true });
}

/** How long ago the change of an event was committed, ms. */
export function ageOf(snapshot: DocumentSnapshot, now: number): number {
  return Math.max(0, now - (snapshot.data() as OutboxDoc).createdAt.toMillis());
}

/** The session that an event is about; undefined for one that is about none. */
export function sessionOf(snapshot: DocumentSnapshot): string | undefined {
  const id: unknown = (snapshot.data() as Partial<OutboxDoc> | undefined)?.data?.['sessionId'];
  return typeof id === 'string' ? id : undefined;
}

/** Events that no trigger has published for `olderThanMs`, oldest first. */
export async function stuckEvents(olderThanMs: number, limit: number): Promise<DocumentSnapshot[]> {
  const before = Timestamp.fromMillis(now() - olderThanMs);
  const query = db().collection('outbox').where('published', '==', false).where('createdAt', '<=', before).orderBy('createdAt').limit(limit);
  return (await query.get()).docs;
}

interface Message {
  json: object;
  orderingKey: string;
  attributes: Record<string, string>;
}
const topicNotFound = 5;

async function publish(name: string, message: Message): Promise<void> {
  const client = await pubsub();
  const topic = client.topic(name, { messageOrdering: true });
  try {
    await topic.publishMessage(message);
  } catch (error) {
    if ((error as { code?: number }).code !== topicNotFound) throw error;
    await client.createTopic(name).catch(() => undefined);
    topic.resumePublishing(message.orderingKey);
    await topic.publishMessage(message);
  }
}
