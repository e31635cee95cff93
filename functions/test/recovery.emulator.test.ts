import assert from 'node:assert/strict';
import { Timestamp } from 'firebase-admin/firestore';
import { runSweep } from '../src/ops/sweep.ts';
import type { Meter } from '../src/live/meter.ts';
import type { RequestRecord } from '../src/live/requests.ts';
import type { CheckpointDoc, GrantDoc, HoldDoc, LedgerDoc, ResolvedHoldDoc } from '../src/credits/schema.ts';
import { settleCheckpoint } from '../src/credits/store-settle.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { frames } from './frames.ts';
import { admin, closeClients, eventually, fireSchedule, givePlayer, read, readAgent, readAll, readUser, refusal, startWith, sums, type Player } from './harness.ts';

after(closeClients);

async function started(dofs = 2_000): Promise<{ player: Player; sessionId: string }> {
  const player = await givePlayer({ dofs });
  const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
  return { player, sessionId };
}

const meterRef = (sessionId: string) => admin().database.ref(`meters/${sessionId}`);
const readMeter = async (sessionId: string): Promise<Meter> => (await meterRef(sessionId).get()).val() as Meter;
/** What stands there of a request whose function was killed. */
const running: RequestRecord = {
  hash: 'of-the-lost-frame', state: 'running', expiresAt: Date.now() - 1, turnId: 'dead-holder', model: 'offline', input: JSON.stringify({ frame: 'standard', instruction: false, audioSeconds: 0 }),
};
const readSession = async (sessionId: string): Promise<SessionDoc> => (await read<SessionDoc>(`sessions/${sessionId}`))!;
const ended = (sessionId: string) => eventually(async () => (await readSession(sessionId)).settlement === 'done', 'the settlement');

describe('the sweep', () => {
  it('ends an idle session and leaves one that is in use', async () => {
    const idle = await started();
    const busy = await started();
    await meterRef(idle.sessionId).update({ dueAt: 1 });
    await fireSchedule('sweep');
    await ended(idle.sessionId);
    assert.equal((await readSession(idle.sessionId)).closeReason, 'idle');
    assert.deepEqual((await readUser(idle.player.uid))?.activeSessions, {});
    assert.equal((await sums(idle.player)).held, 0);
    assert.equal((await readSession(busy.sessionId)).status, 'active');
    assert.equal((await readMeter(busy.sessionId)).open, true);
  });

  it('ends a session whose time is over, which takes no more frames before', async () => {
    const { player, sessionId } = await started();
    await meterRef(sessionId).update({ expiresAt: Date.now() - 1 });
    await admin().firestore.doc(`sessions/${sessionId}`).update({ expiresAt: Timestamp.fromMillis(Date.now() - 1) });
    const late = await refusal(player.call('processFrame', { sessionId, requestId: 'late', frameData: frames[0] }));
    assert.deepEqual([late.code, late.reason], ['failed-precondition', 'session_closed']);
    await runSweep(Date.now);
    await ended(sessionId);
    assert.equal((await readSession(sessionId)).closeReason, 'expired');
  });

  it('finishes an end that was cut short after the meter was closed', async () => {
    const { player, sessionId } = await started();
    const { costDOFs } = await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] });
    await meterRef(sessionId).update({ open: false, closeReason: 'user', dueAt: 1 });
    await runSweep(Date.now);
    await ended(sessionId);
    const session = await readSession(sessionId);
    assert.deepEqual([session.closeReason, session.consumedDOFs], ['user', costDOFs]);
  });

  it('charges the input of a turn whose function was killed, once, and says so to a repeat', async () => {
    const { player, sessionId } = await started();
    const turn = { requestId: 'lost', fence: 'dead-holder', held: 40, inputPrice: 9, expiresAt: Date.now() - 1 };
    await meterRef(sessionId).update({ turn, dueAt: 1 });
    await admin().database.ref(`requests/${sessionId}/lost`).set(running);
    const resolvedAt = Date.now();
    await runSweep(Date.now);
    await ended(sessionId);
    assert.equal((await readSession(sessionId)).consumedDOFs, 9);
    const { expiresAt, ...record } = (await admin().database.ref(`requests/${sessionId}/lost`).get()).val() as RequestRecord;
    const { expiresAt: _before, ...claimed } = running;
    assert.deepEqual(record, { ...claimed, state: 'done', outcome: 'cut', reply: '', cost: 9, estimated: true, consumed: 9, remainingDOFs: 1_991 });
    assert.ok(expiresAt >= resolvedAt, 'closed when it was resolved');
    const [line, ...others] = (await read<CheckpointDoc>(`sessions/${sessionId}/checkpoints/final`))!.lines;
    assert.deepEqual([line, others], [{ requestId: 'lost', turnId: 'dead-holder', at: expiresAt, from: 0, to: 9, outcome: 'cut', estimated: true, provider: 'unknown', model: 'offline', input: JSON.parse(running.input) as object, usage: {} }, []]);
    assert.deepEqual(await sums(player), { ledger: 1_991, lots: 1_991, balance: 1_991, held: 0 });
  });

  it('charges nothing for a turn of which no request is on record', async () => {
    const { player, sessionId } = await started();
    await meterRef(sessionId).update({ turn: { requestId: 'never', fence: 'dead-holder', held: 40, inputPrice: 9, expiresAt: Date.now() - 1 }, dueAt: 1 });
    await runSweep(Date.now);
    await ended(sessionId);
    assert.deepEqual(await sums(player), { ledger: 2_000, lots: 2_000, balance: 2_000, held: 0 });
    assert.equal((await read<ResolvedHoldDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/holds/${sessionId}`))?.state, 'released');
  });

  it('charges what a killed function had on record already', async () => {
    const { player, sessionId } = await started();
    const turn = { requestId: 'nearly', fence: 'dead-holder', held: 40, inputPrice: 9, expiresAt: Date.now() - 1 };
    await meterRef(sessionId).update({ turn });
    await admin().database.ref(`requests/${sessionId}/nearly`).set({ ...running, hash: 'x', state: 'done', cost: 13, consumed: 13, reply: 'There.', outcome: 'complete' } satisfies RequestRecord);
    const next = await player.call('processFrame', { sessionId, requestId: 'next', frameData: frames[0] });
    assert.equal(next.consumedDOFs, 13 + next.costDOFs, 'the next turn resolves the dead one');
  });

  it('lets the same request try again after its function was killed, and charges it once', async () => {
    const { player, sessionId } = await started();
    const request = { sessionId, requestId: 'retry', frameData: frames[0]! };
    const first = await player.call('processFrame', request);
    const record = admin().database.ref(`requests/${sessionId}/retry`);
    const { hash } = (await record.get()).val() as { hash: string };
    await record.set({ ...running, hash });
    await meterRef(sessionId).update({ consumed: 0, turn: { requestId: 'retry', fence: 'dead-holder', held: 40, inputPrice: 9, expiresAt: Date.now() - 1 } });
    const again = await player.call('processFrame', request);
    assert.equal(again.replayed, false);
    assert.equal(again.consumedDOFs, again.costDOFs);
    assert.ok(Math.abs(again.costDOFs - first.costDOFs) <= 1);
  });

  it('settles what a dropped trigger left, and publishes events that got stuck', async () => {
    const { player, sessionId } = await started();
    await player.call('endSession', { sessionId });
    await ended(sessionId);
    const { firestore } = admin();
    const outboxId = `${sessionId}-stuck`;
    const past = Timestamp.fromMillis(Date.now() - 120_000);
    const event = { eventId: outboxId, type: 'session.ended', topic: 'session-events', subject: sessionId, sequence: 99, data: {}, createdAt: past, published: true, deleteAt: past };
    await firestore.doc(`outbox/${outboxId}`).set(event);
    await firestore.doc(`outbox/${outboxId}`).update({ published: false });
    await firestore.doc(`sessions/${sessionId}`).update({ settlement: 'pending', consumedDOFs: 7, heldDOFs: 100, endedAt: past });
    const agent = firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`);
    const hold: HoldDoc = { amount: 100, lots: [{ grantId: 'lot-0', amount: 100 }], postedDOFs: 0, sessionId, expiresAt: past, createdAt: past };
    await agent.update({ heldDOFs: 100, holds: { [sessionId]: hold } });
    await agent.collection('holds').doc(sessionId).delete();
    await runSweep(Date.now);
    assert.equal((await read(`outbox/${outboxId}`))?.['published'], true);
    assert.equal((await readSession(sessionId)).settlement, 'done');
    assert.deepEqual(await sums(player), { ledger: 1_993, lots: 1_993, balance: 1_993, held: 0 });
    const { state, postedDOFs, releasedDOFs, lots } = (await read<ResolvedHoldDoc>(`${agent.path}/holds/${sessionId}`))!;
    assert.deepEqual({ state, postedDOFs, releasedDOFs, lots }, { state: 'posted', postedDOFs: 7, releasedDOFs: 93, lots: [{ grantId: 'lot-0', amount: 93 }] });
  });

  it('takes out a lot that has expired, passes on what its grant says, and leaves what a session holds of it', async () => {
    const soon = new Date(Date.now() + 1_500);
    const player = await givePlayer({ lots: [{ amount: 300, priority: 1, expiresAt: soon, rollover: { maxDOFs: 80, days: 7 } }, { amount: 50, priority: 9 }] });
    const { sessionId } = await startWith(player, { limits: { holdDOFs: 100 } });
    await eventually(() => Date.now() > soon.getTime(), 'the expiry');
    const path = `users/${player.uid}/agents/${player.agentInstanceId}`;
    await eventually(async () => {
      await runSweep(Date.now);
      return (await read<LedgerDoc>(`${path}/ledger/rollover-lot-0`)) !== undefined;
    }, 'the expiry is entered');
    assert.deepEqual(await sums(player), { ledger: 230, lots: 230, balance: 230, held: 100 });
    assert.deepEqual(await read<LedgerDoc>(`${path}/ledger/expiry-lot-0-300`).then((entry) => [entry?.amount, entry?.lots]), [-200, [{ grantId: 'lot-0', amount: -200 }]]);
    const [next, grant] = [(await readAgent(player))!.lots['rollover-lot-0']!, (await read<GrantDoc>(`${path}/grants/rollover-lot-0`))!];
    assert.deepEqual([next.remaining, grant.amount, next.expiresAt?.toMillis(), next.rollover], [80, 80, soon.getTime() + 7 * 24 * 3_600_000, null]);

    await player.call('endSession', { sessionId });
    await ended(sessionId);
    await eventually(async () => {
      await runSweep(Date.now);
      return (await readAgent(player))!.lots['lot-0'] === undefined;
    }, 'what the session gave back expires too');
    assert.deepEqual(await sums(player), { ledger: 130, lots: 130, balance: 130, held: 0 });
  });

  it('removes the live state of a session long ended, which still answers as closed', async () => {
    const { player, sessionId } = await started();
    await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] });
    await player.call('endSession', { sessionId });
    await ended(sessionId);
    await admin().firestore.doc(`sessions/${sessionId}`).update({ cleanupAt: Timestamp.fromMillis(Date.now() - 1) });
    await runSweep(Date.now);
    for (const root of ['live', 'meters', 'contexts', 'requests', 'streams']) assert.equal((await admin().database.ref(`${root}/${sessionId}`).get()).exists(), false, root);
    const late = await refusal(player.call('processFrame', { sessionId, requestId: 'r2', frameData: frames[0] }));
    assert.equal(late.reason, 'session_closed');
  });
});

describe('startSession after a crash', () => {
  it('completes the live state of a session whose start died after its commit', async () => {
    const { player, sessionId } = await started();
    await Promise.all([meterRef(sessionId).remove(), admin().database.ref(`live/${sessionId}`).remove()]);
    const again = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    assert.deepEqual([again.sessionId, again.resumed, again.remainingDOFs], [sessionId, true, 2_000]);
    assert.equal((await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] })).outcome, 'complete');
  });

  it('ends a session whose meter was closed and starts a new one', async () => {
    const { player, sessionId } = await started();
    await meterRef(sessionId).update({ open: false, closeReason: 'user' });
    const next = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    assert.notEqual(next.sessionId, sessionId);
    await ended(sessionId);
  });
});

describe('settlement events', () => {
  const of = ({ uid, agentInstanceId }: Player, sessionId: string) => ({ sessionId, ownerId: uid, agentInstanceId });

  it('may come twice, late and in any order', async () => {
    const orders = [[0, 1, 2], [2, 1, 0], [1, 1, 0, 2, 2], [2, 0, 2, 1, 0]];
    for (const order of orders) {
      const { player, sessionId } = await started();
      await admin().firestore.doc(`sessions/${sessionId}`).update({ status: 'ended', settlement: 'pending', consumedDOFs: 30, endedAt: Timestamp.now() });
      const checkpoints = [{ total: 10, final: false }, { total: 20, final: false }, { total: 30, final: true }];
      for (const index of order) await settleCheckpoint({ ...of(player, sessionId), ...checkpoints[index]! });
      assert.deepEqual(await sums(player), { ledger: 1_970, lots: 1_970, balance: 1_970, held: 0 }, order.join());
      const settled = (await readAll(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).filter((entry) => entry['type'] === 'settlement');
      assert.equal(settled.reduce((sum, entry) => sum + Number(entry['amount']), 0), -30);
      const hold = await read<ResolvedHoldDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/holds/${sessionId}`);
      assert.deepEqual([hold?.postedDOFs, hold?.releasedDOFs], [30, 1_970]);
    }
  });

  it('that arrive together settle once', async () => {
    const { player, sessionId } = await started();
    await admin().firestore.doc(`sessions/${sessionId}`).update({ status: 'ended', settlement: 'pending', consumedDOFs: 30, endedAt: Timestamp.now() });
    await Promise.all(Array.from({ length: 8 }, () => settleCheckpoint({ ...of(player, sessionId), total: 30, final: true })));
    assert.deepEqual(await sums(player), { ledger: 1_970, lots: 1_970, balance: 1_970, held: 0 });
  });
});
