import { FieldPath, FieldValue, Timestamp, type CollectionReference, type DocumentReference } from 'firebase-admin/firestore';
import { agentNotFound, agentRef } from '../agents/store.ts';
import { deleteAllOf } from '../runtime/commit.ts';
import type { Position } from '../runtime/cursor.ts';
import { now } from '../runtime/system.ts';
import { factId, isExpired, mostFacts, mostMemoryCharacters, plainText, turnExpiry, turnSummary, type ShownMemory } from './memory.ts';
import type { AgentPlace, Memory, MemoryDoc, MemorySource, WantedEmbedding } from './schema.ts';

/** users/{uid}/agents/{agentInstanceId}/memories */
const memoriesRef = ({ uid, agentInstanceId }: AgentPlace) => agentRef(uid, agentInstanceId).collection('memories') as CollectionReference<MemoryDoc>;

/**
 * Keeps a fact for ever, once however often it is told; it can be recalled when embedMemory has embedded it. An agent
 * that has `mostFacts` takes no more: facts told at the very same moment may exceed that by their number.
 */
export async function rememberFact(source: MemorySource, fact: string, wanted: WantedEmbedding): Promise<'remembered' | 'known' | 'full'> {
  const memories = memoriesRef(source);
  const ref = memories.doc(factId(fact));
  const [known, facts] = await Promise.all([ref.get(), memories.where('kind', '==', 'fact').count().get()]);
  if (known.exists) return 'known';
  if (facts.data().count >= mostFacts) return 'full';
  const created = await createUnlessThere(ref, { kind: 'fact', text: plainText(fact, mostMemoryCharacters), expiresAt: null, ...originOf(source, wanted) });
  return created ? 'remembered' : 'known';
}

/** Keeps the summary of a turn for 90 days. A repeat changes nothing. */
export async function rememberTurn(source: MemorySource & { turnId: string }, said: { instruction: string; reply: string }, wanted: WantedEmbedding): Promise<void> {
  const expiresAt = Timestamp.fromMillis(turnExpiry(now()));
  await createUnlessThere(memoriesRef(source).doc(source.turnId), { kind: 'turn', text: turnSummary(said), expiresAt, ...originOf(source, wanted) });
}

function originOf({ sessionId, turnId }: MemorySource, wanted: WantedEmbedding): Omit<MemoryDoc, 'kind' | 'text' | 'expiresAt'> {
  return { sessionId, turnId, wanted, embeddedWith: null, createdAt: Timestamp.fromMillis(now()) };
}

const notFound = 5;
const alreadyExists = 6;
const failedPrecondition = 9;

async function createUnlessThere(ref: DocumentReference<MemoryDoc>, memory: MemoryDoc): Promise<boolean> {
  return ref.create(memory).then(() => true, unless(alreadyExists));
}

/** False for a failure with one of these gRPC codes; any other is thrown again. */
function unless(...codes: number[]): (error: unknown) => false {
  return (error) => {
    if (!codes.includes((error as { code?: number }).code ?? -1)) throw error;
    return false;
  };
}

/** A memory that has no vector yet, and how to give it one. */
export interface Unembedded {
  memory: MemoryDoc;
  /** Changes nothing when the memory was deleted or embedded meanwhile. */
  save(vector: number[], embeddedWith: string): Promise<void>;
}

/** The memory to embed; null when it is gone or has its vector. One read. */
export async function readUnembedded(agent: AgentPlace, memoryId: string): Promise<Unembedded | null> {
  const snapshot = await memoriesRef(agent).doc(memoryId).get();
  const memory = snapshot.data();
  if (!memory || memory.embeddedWith !== null) return null;
  return {
    memory,
    async save(vector, embeddedWith) {
      await snapshot.ref.update({ embedding: FieldValue.vector(vector), embeddedWith }, { lastUpdateTime: snapshot.updateTime! }).catch(unless(notFound, failedPrecondition));
    },
  };
}

/**
 * Cosine distance beyond which a memory has nothing to do with what was asked. Models differ in where they place
 * unrelated texts, some well below: this keeps out what is unrelated by any of them, order and limit do the rest.
 */
const farthest = 0.85;

/** What is read of a memory that comes to mind. */
type NearMemory = Pick<MemoryDoc, 'kind' | 'text' | 'expiresAt'> & { distance: number };

/** The memories nearest to a vector, nearest first, among those that the same model has embedded. */
export async function recallMemories(agent: AgentPlace, vector: number[], embeddedWith: string, limit = 5): Promise<Memory[]> {
  const nearest = memoriesRef(agent).where('embeddedWith', '==', embeddedWith).select('kind', 'text', 'expiresAt', 'distance').findNearest({
    vectorField: 'embedding', queryVector: vector, limit: 2 * limit, distanceMeasure: 'COSINE', distanceThreshold: farthest, distanceResultField: 'distance',
  });
  const found = (await nearest.get()).docs.map((doc) => ({ memoryId: doc.id, ...(doc.data() as NearMemory) }));
  // Twice as many are asked for, as those that have expired may still be there.
  return found.filter((memory) => !isExpired(memory, now())).slice(0, limit).map(({ memoryId, kind, text, distance }) => ({ memoryId, kind, text, distance }));
}

/**
 * One page of an agent's memories, newest first, from those after `after` (ms and id). Expired ones are shown as long as they are there.
 * @throws AppError `not-found` for a missing or foreign agent.
 */
export async function listMemories(agent: AgentPlace, limit: number, after: Position | null): Promise<ShownMemory[]> {
  const newestFirst = memoriesRef(agent).orderBy('createdAt', 'desc').orderBy(FieldPath.documentId(), 'desc').select('kind', 'text', 'sessionId', 'turnId', 'createdAt', 'expiresAt').limit(limit);
  const page = after ? newestFirst.startAfter(Timestamp.fromMillis(after.order), after.id) : newestFirst;
  const [, { docs }] = await Promise.all([requireAgent(agent), page.get()]);
  return docs.map((doc) => ({ ...(doc.data() as MemoryDoc), memoryId: doc.id }));
}

/**
 * Deletes a memory, if it is there.
 * @throws AppError `not-found` for a missing or foreign agent.
 */
export async function deleteMemory(agent: AgentPlace, memoryId: string): Promise<void> {
  await requireAgent(agent);
  await memoriesRef(agent).doc(memoryId).delete();
}

/**
 * Deletes all memories of an agent; a call that was cut short is finished by its repetition.
 * @returns how many there were.
 * @throws AppError `not-found` for a missing or foreign agent.
 */
export async function deleteAllMemories(agent: AgentPlace): Promise<number> {
  await requireAgent(agent);
  return deleteAllOf(memoriesRef(agent));
}

/** Deletes what an agent remembers of a session, whether the agent is there or not. */
export async function forgetSession(agent: AgentPlace, sessionId: string): Promise<void> {
  await deleteAllOf(memoriesRef(agent).where('sessionId', '==', sessionId));
}

async function requireAgent({ uid, agentInstanceId }: AgentPlace): Promise<void> {
  if (!(await agentRef(uid, agentInstanceId).get()).exists) throw agentNotFound();
}
