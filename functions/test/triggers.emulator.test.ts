import assert from 'node:assert/strict';
import { Timestamp, type QueryDocumentSnapshot } from 'firebase-admin/firestore';
import type { Change } from 'firebase-functions';
import functionsTest from 'firebase-functions-test';
import { createUserDocument } from '../src/agents/triggers.ts';
import { settleCheckpoint } from '../src/credits/triggers.ts';
import { publishEvent } from '../src/events/triggers.ts';
import { sweep } from '../src/ops/triggers.ts';
import { mirrorSession } from '../src/sessions/triggers.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { frames } from './frames.ts';
import { admin, closeClients, eventually, givePlayer, read, readUser, sums } from './harness.ts';

const { wrap, makeChange, firestore: make, auth, cleanup } = functionsTest({ projectId: process.env['GCLOUD_PROJECT'] ?? 'demo-jiga' });

after(closeClients);

const snapshotOf = (data: object, path: string) => make.makeDocumentSnapshot(data, path) as QueryDocumentSnapshot;
const eventIds = (sessionId: string) => admin().firestore.collection('outbox').where('subject', '==', sessionId).get().then(({ docs }) => docs.map(({ id }) => id));
const live = async (sessionId: string) => (await admin().database.ref(`live/${sessionId}`).get()).val() as { status: string; version: number } | null;

async function endedSession(): Promise<{ session: SessionDoc; player: Awaited<ReturnType<typeof givePlayer>> }> {
  const player = await givePlayer();
  const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
  await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] });
  await player.call('endSession', { sessionId });
  await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
  return { session: (await read<SessionDoc>(`sessions/${sessionId}`))!, player };
}

describe('triggers that are delivered again', () => {
  after(cleanup);

  it('settleCheckpoint: settles nothing twice and makes no second event', async () => {
    const { session, player } = await endedSession();
    const before = [await sums(player), await eventIds(session.sessionId)];
    const { sessionId, ownerId, agentInstanceId } = session;
    const data = snapshotOf({ sessionId, ownerId, agentInstanceId, total: session.consumedDOFs, final: true, createdAt: Timestamp.now() }, `sessions/${session.sessionId}/checkpoints/final`);
    for (let times = 0; times < 3; times++) await wrap(settleCheckpoint)({ data, params: { sessionId: session.sessionId, checkpointId: 'final' } });
    assert.deepEqual([await sums(player), await eventIds(session.sessionId)], before);
  });

  it('mirrorSession: a late creation event reopens no ended session, an older version overwrites no newer one', async () => {
    const { session } = await endedSession();
    const path = `sessions/${session.sessionId}`;
    const created: Change<QueryDocumentSnapshot> = makeChange(snapshotOf({}, path), snapshotOf({ ...session, status: 'active', closeReason: null, version: 1 }, path));
    await wrap(mirrorSession)({ data: created, params: { sessionId: session.sessionId } });
    assert.deepEqual({ status: (await live(session.sessionId))?.status, open: (await admin().database.ref(`meters/${session.sessionId}/open`).get()).val() as unknown }, { status: 'ended', open: false });

    await admin().database.ref(`live/${session.sessionId}`).remove();
    await admin().database.ref(`meters/${session.sessionId}`).remove();
    await wrap(mirrorSession)({ data: created, params: { sessionId: session.sessionId } });
    assert.equal(await live(session.sessionId), null, 'nothing comes back after the clean-up');
  });

  it('publishEvent: an event that is published already is not published again', async () => {
    const { session } = await endedSession();
    const [eventId] = await eventIds(session.sessionId);
    const ref = admin().firestore.doc(`outbox/${eventId}`);
    await eventually(async () => (await ref.get()).data()?.['published'] === true, 'the publication');
    const published = await ref.get();
    await wrap(publishEvent)({ data: published as never, params: { eventId: eventId! } });
    assert.ok((await ref.get()).updateTime?.isEqual(published.updateTime!), 'untouched');
  });

  it('createUserDocument: keeps the document that is there', async () => {
    const player = await givePlayer();
    const before = await readUser(player.uid);
    await wrap(createUserDocument)(auth.makeUserRecord({ uid: player.uid, email: 'other@jiga.example' }));
    assert.deepEqual(await readUser(player.uid), before);
  });

  it('sweep: with nothing to do, changes nothing', async () => {
    const { session } = await endedSession();
    const before = await admin().firestore.doc(`sessions/${session.sessionId}`).get();
    await sweep.run({ scheduleTime: new Date().toISOString() });
    assert.ok((await before.ref.get()).updateTime?.isEqual(before.updateTime!));
  });
});
