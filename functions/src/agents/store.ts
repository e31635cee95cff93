import { FieldValue, type CollectionReference, type DocumentReference } from 'firebase-admin/firestore';
import { commitIfUnchanged, unchanged } from '../runtime/commit.ts';
import { AppError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { log } from '../runtime/log.ts';
import { now } from '../runtime/system.ts';
import { agentSubject, newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { notConfigured } from '../providers/failures.ts';
import { vendorNames } from '../providers/types.ts';
import { productSchema, type AgentDoc, type ProductDoc, type UserDoc } from './schema.ts';

/** users/{uid} */
export function userRef(uid: string): DocumentReference<UserDoc> {
  return db().collection('users').doc(uid) as DocumentReference<UserDoc>;
}

/** users/{uid}/agents */
export function agentsRef(uid: string): CollectionReference<AgentDoc> {
  return userRef(uid).collection('agents') as CollectionReference<AgentDoc>;
}

/** users/{uid}/agents/{agentInstanceId} */
export function agentRef(uid: string, agentInstanceId: string): DocumentReference<AgentDoc> {
  return agentsRef(uid).doc(agentInstanceId);
}

/** What is known of an account when its user document is made. */
export interface Account {
  email: string | null;
  displayName: string | null;
}

/** Creates the user document of an account unless it exists; a repeated call changes nothing. The event is numbered by time: an account may come back after its document was deleted. */
export async function createUser(uid: string, account: Account): Promise<void> {
  const batch = db().batch();
  batch.create(userRef(uid), { ...account, createdAt: FieldValue.serverTimestamp(), activeSessions: {} });
  const event = newEvent({ type: 'user.created', subject: uid, sequence: now(), data: { userId: uid } });
  batch.create(outboxRef(event.eventId), toOutbox(event));
  await batch.commit().catch((error: unknown) => {
    if ((error as { code?: number }).code !== alreadyExists) throw error;
  });
}
const alreadyExists = 6;

/** The user document; null when the account has none yet. One read. */
export async function getUser(uid: string): Promise<UserDoc | null> {
  return (await userRef(uid).get()).data() ?? null;
}

/** All agents of a user, oldest first. */
export async function listAgents(uid: string): Promise<AgentDoc[]> {
  const snapshot = await agentsRef(uid).orderBy('purchasedAt').get();
  return snapshot.docs.map((doc) => doc.data());
}

/**
 * Changes what an owner may change of an agent, and returns the agent.
 * @throws AppError `not-found` for a missing or foreign agent.
 */
export async function updateAgent(uid: string, agentInstanceId: string, changes: Partial<Pick<AgentDoc, 'customName' | 'alertThresholds'>>): Promise<AgentDoc> {
  const ref = agentRef(uid, agentInstanceId);
  return commitIfUnchanged(async () => {
    const snapshot = await ref.get();
    const agent = snapshot.data();
    if (!agent) throw agentNotFound();
    const version = agent.version + 1;
    const event = newEvent({ type: 'agent.updated', subject: agentSubject({ userId: uid, agentInstanceId }), sequence: version, data: { userId: uid, agentInstanceId, ...changes } });
    return {
      result: { ...agent, ...changes, version },
      write(batch) {
        batch.update(ref, { ...changes, version }, unchanged(snapshot));
        batch.create(outboxRef(event.eventId), toOutbox(event));
      },
    };
  });
}

/** The same answer for an agent that does not exist and one that belongs to somebody else. */
export function agentNotFound(): AppError {
  return new AppError('not-found', 'You own no agent with this id.', { reason: 'not_found' });
}

const productsOf = new WeakMap<object, Map<string, ProductDoc>>();

/**
 * A catalogue product at a version. Products are immutable, so an instance reads each version once. Null when unknown or malformed.
 * @throws AppError `failed-precondition` (provider_configuration) for a product of a provider that does not exist.
 */
export async function getProduct(productId: string, version: number): Promise<ProductDoc | null> {
  const products = productsOf.get(db()) ?? new Map<string, ProductDoc>();
  productsOf.set(db(), products);
  const key = `${productId}@${version}`;
  const known = products.get(key);
  if (known) return known;
  const stored = (await db().collection('products').doc(productId).get()).data();
  requireProvider(productId, stored?.['provider']);
  const { success, data: product, error } = productSchema.safeParse(stored);
  if (!success || product.version !== version) {
    log.write({ severity: 'ERROR', message: 'product is missing, malformed or of another version', productId, version, stored: stored ? String(stored['version']) : null, issues: stored && error ? error.issues.map((issue) => issue.path.join('.')) : [] });
    return null;
  }
  products.set(key, product);
  return product;
}

function requireProvider(productId: string, provider: unknown): void {
  if (typeof provider !== 'string' || (vendorNames as readonly string[]).includes(provider)) return;
  throw notConfigured(`The product ${productId} names the provider "${provider}", which does not exist. There are ${vendorNames.join(', ')}. Write a new version of the product.`);
}
