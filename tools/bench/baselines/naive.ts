import { FieldValue, getFirestore, HttpsError, initializeApp, onCall, onDocumentCreated, Timestamp, type CallableRequest, type DocumentData } from '../../../functions/test/sdk.ts';

// What a competent first version looks like: checks and money in one Firestore transaction, nothing else.

const holdDOFs = 5_000;
const sessionMs = 240 * 60_000;
const frameDOFs = 9;

initializeApp();
const db = getFirestore();

function uidOf({ auth }: CallableRequest): string {
  if (!auth) throw new HttpsError('unauthenticated', 'Sign in first.');
  return auth.uid;
}

const products = new Map<string, DocumentData>();

/** Products never change: read once per instance. */
async function productOf(productId: string): Promise<DocumentData> {
  const known = products.get(productId);
  if (known) return known;
  const product = (await db.doc(`products/${productId}`).get()).data();
  if (!product) throw new HttpsError('failed-precondition', 'There is no such product.');
  products.set(productId, product);
  return product;
}

/** Starts a session: the reads and writes of startSession in a transaction, without anything around them. */
export const naiveStart = onCall(async (request) => {
  const uid = uidOf(request);
  const { agentInstanceId } = request.data as { agentInstanceId: string };
  const [user, agent, config] = [db.doc(`users/${uid}`), db.doc(`users/${uid}/agents/${agentInstanceId}`), db.doc('config/server')];
  const session = db.collection('sessions').doc();
  return db.runTransaction(async (transaction) => {
    const [owner, balance, server] = (await transaction.getAll(user, agent, config)).map((snapshot) => snapshot.data());
    if (!owner || !balance || !server) throw new HttpsError('not-found', 'You own no agent with this id.');
    if (Object.keys(owner['activeSessions'] as object).length > 0) throw new HttpsError('failed-precondition', 'Another session is open.');
    const held = Math.min(holdDOFs, Number(balance['currentDOFs']) - Number(balance['heldDOFs']));
    if (held <= 0) throw new HttpsError('resource-exhausted', 'This agent has no DOFs left.');
    const product = await productOf(String(balance['agentProductId']));
    const startedAt = Timestamp.now();
    const expiresAt = Timestamp.fromMillis(startedAt.toMillis() + sessionMs);
    transaction.update(user, { [`activeSessions.${session.id}`]: agentInstanceId });
    transaction.update(agent, { heldDOFs: FieldValue.increment(held), [`holds.${session.id}`]: { amount: held, createdAt: startedAt, expiresAt } });
    transaction.create(session, {
      sessionId: session.id, ownerId: uid, agentInstanceId, status: 'active', config: { ...product, limits: server['limits'] as DocumentData, modelRouting: server['modelRouting'] as DocumentData },
      startingDOFs: balance['currentDOFs'] as number, consumedDOFs: 0, heldDOFs: held, startedAt, expiresAt,
    });
    transaction.create(db.collection('outbox').doc(`session.started-${session.id}`), { type: 'session.started', sessionId: session.id, userId: uid, agentInstanceId, createdAt: startedAt });
    return { sessionId: session.id, held };
  });
});

/** Asks the model and charges for it: a transaction for every frame. */
export const naiveFrame = onCall(async (request) => {
  const uid = uidOf(request);
  const { sessionId, agentInstanceId, frameData } = request.data as Record<string, string>;
  const answer = await fetch(`${process.env['OPENAI_BASE_URL']}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env['OPENAI_API_KEY']}` },
    body: JSON.stringify({ model: 'gpt-6-luna', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${frameData}` } }] }] }),
  });
  const { choices } = await answer.json() as { choices: { message: { content: string } }[] };
  const [session, agent] = [db.doc(`sessions/${sessionId}`), db.doc(`users/${uid}/agents/${agentInstanceId}`)];
  const remainingDOFs = await db.runTransaction(async (transaction) => {
    const [open, balance] = (await transaction.getAll(session, agent)).map((snapshot) => snapshot.data());
    if (open?.['ownerId'] !== uid || open['status'] !== 'active') throw new HttpsError('not-found', 'You have no such session.');
    const left = Number(balance?.['currentDOFs']) - frameDOFs;
    if (!(left >= 0)) throw new HttpsError('resource-exhausted', 'This agent has no DOFs left.');
    transaction.update(session, { consumedDOFs: Number(open['consumedDOFs']) + frameDOFs });
    transaction.update(agent, { currentDOFs: left });
    return left;
  });
  return { reply: choices[0]?.message.content ?? '', costDOFs: frameDOFs, remainingDOFs };
});

/** A trigger that does nothing: how long events take to arrive. */
export const naiveTrigger = onDocumentCreated('naive/{id}', () => undefined);
