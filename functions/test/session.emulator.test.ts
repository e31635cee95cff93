import assert from 'node:assert/strict';
import type { CheckpointDoc, LedgerDoc, ResolvedHoldDoc } from '../src/credits/schema.ts';
import { prepareTurn, type PreparedTurn } from '../src/live/prepare.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { frames } from './frames.ts';
import { admin, closeClients, clientOf, eventually, givePlayer, read, readAgent, readAll, readUser, refusal, startWith, sums, watch, type Player } from './harness.ts';

after(closeClients);

interface Live {
  status: string;
  closeReason?: string;
  dofs: { starting: number; consumed: number; remaining: number };
  turn: { state: string };
}

async function settled(sessionId: string): Promise<SessionDoc> {
  await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
  return (await read<SessionDoc>(`sessions/${sessionId}`))!;
}

/** What a turn with the first frame can cost, for an agent of this product. */
async function firstFrame(productId: string): Promise<PreparedTurn> {
  const scout = await givePlayer({ productId });
  const { sessionId, config } = await scout.call('startSession', { agentInstanceId: scout.agentInstanceId });
  await scout.call('endSession', { sessionId });
  return prepareTurn({ sessionId, requestId: 'scout', frameData: frames[0]! }, config);
}

const eventTypes = async (subject: string): Promise<string[]> => (await admin().firestore.collection('outbox').where('subject', '==', subject).get()).docs.map((doc) => String(doc.get('type'))).sort();
const holdOf = async ({ uid, agentInstanceId }: Player, sessionId: string): Promise<ResolvedHoldDoc> => (await read<ResolvedHoldDoc>(`users/${uid}/agents/${agentInstanceId}/holds/${sessionId}`))!;

async function start(player: Player): Promise<string> {
  return (await player.call('startSession', { agentInstanceId: player.agentInstanceId })).sessionId;
}

describe('a session from start to settlement', () => {
  it('streams replies to real frames, shows the meter live and settles to the DOF', async () => {
    const player = await givePlayer({ dofs: 5_000 });
    const started = await player.call('startSession', { agentInstanceId: player.agentInstanceId, gameContext: { platform: 'pc', gameId: 'test-game' } });
    assert.equal(started.resumed, false);
    assert.equal(started.remainingDOFs, 5_000);
    const live = watch(player, started.live.path);

    let spent = 0;
    for (const [index, frameData] of frames.slice(0, 5).entries()) {
      const { chunks, data } = await player.stream('processFrame', { sessionId: started.sessionId, requestId: `frame-${index}`, frameData });
      assert.equal(chunks.map((chunk) => (chunk as { text: string }).text).join(''), data.reply);
      assert.equal(data.outcome, 'complete');
      assert.ok(data.costDOFs > 0);
      spent += data.costDOFs;
      assert.equal(data.consumedDOFs, spent);
      assert.equal(data.remainingDOFs, 5_000 - spent);
    }
    await eventually(() => (live.values.at(-1) as Live | undefined)?.dofs.consumed === spent, 'the listener sees what was spent');
    assert.deepEqual(live.errors, []);
    const consumed = live.values.map((value) => (value as Live).dofs.consumed);
    assert.deepEqual(consumed, [...consumed].sort((a, b) => a - b), 'the meter only rises');

    const ended = await player.call('endSession', { sessionId: started.sessionId });
    assert.equal(ended.status, 'ended');
    assert.equal(ended.closeReason, 'user');
    assert.equal(ended.consumedDOFs, spent);
    await settled(started.sessionId);
    await eventually(() => (live.values.at(-1) as Live).status === 'ended', 'the listener sees the end');
    live.stop();

    assert.deepEqual(await sums(player), { ledger: 5_000 - spent, lots: 5_000 - spent, balance: 5_000 - spent, held: 0 });
    assert.deepEqual((await readUser(player.uid))?.activeSessions, {});
    assert.deepEqual(await eventTypes(started.sessionId), ['session.ended', 'session.settled', 'session.started']);
    const { lines, total } = (await read<CheckpointDoc>(`sessions/${started.sessionId}/checkpoints/final`))!;
    assert.deepEqual([lines.map(({ requestId }) => requestId), lines.reduce((sum, { from, to }) => sum + to - from, 0)], [['frame-0', 'frame-1', 'frame-2', 'frame-3', 'frame-4'], total]);
    assert.equal(total, spent);
    await eventually(async () => (await admin().firestore.collection('outbox').where('subject', '==', started.sessionId).where('published', '==', false).get()).empty, 'every event is published');
  });

  it('resumes the open session of the same agent and refuses another agent', async () => {
    const player = await givePlayer({ agents: 2 });
    const sessionId = await start(player);
    const again = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    assert.deepEqual([again.sessionId, again.resumed], [sessionId, true]);
    const other = player.agentInstanceId.replace(/0$/, '1');
    assert.deepEqual(await refusal(player.call('startSession', { agentInstanceId: other })).then(({ code, reason }) => ({ code, reason })), { code: 'failed-precondition', reason: 'session_limit' });
    const taken = await player.call('startSession', { agentInstanceId: other, takeOver: true });
    assert.notEqual(taken.sessionId, sessionId);
    assert.equal((await settled(sessionId)).closeReason, 'superseded');
  });

  it('settles on the way when enough is consumed, and takes the lots in burn order', async () => {
    const player = await givePlayer({ productId: 'google-legend', lots: [{ amount: 3_000, priority: 20 }, { amount: 60, priority: 10 }] });
    const { sessionId } = await startWith(player, { settleEveryDOFs: 50 });
    const play = (index: number) => player.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[10 * index], speak: false });
    await play(0);
    const { consumedDOFs: onTheWay } = await play(1);
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settledDOFs === onTheWay, 'the settlement on the way');
    // The session leaves the price of a voice token, ten minutes at 60.
    assert.deepEqual(await sums(player), { ledger: 3_060 - onTheWay, lots: 3_060 - onTheWay, balance: 3_060 - onTheWay, held: 3_060 - 600 - onTheWay });
    await play(2);
    const { consumedDOFs } = await player.call('endSession', { sessionId });
    assert.ok(consumedDOFs > onTheWay);
    await settled(sessionId);
    assert.deepEqual(await sums(player), { ledger: 3_060 - consumedDOFs, lots: 3_060 - consumedDOFs, balance: 3_060 - consumedDOFs, held: 0 });
    const checkpoints = await readAll<CheckpointDoc>(`sessions/${sessionId}/checkpoints`);
    assert.deepEqual(checkpoints.map(({ total, final, lines }) => [total, final, lines.map(({ requestId }) => requestId)]), [[onTheWay, false, ['r0', 'r1']], [consumedDOFs, true, ['r2']]]);
    const ledger = (await readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).filter((entry) => entry.type === 'settlement');
    assert.equal(ledger.reduce((sum, entry) => sum - entry.amount, 0), consumedDOFs);
    assert.deepEqual(ledger.sort((a, b) => a.seq - b.seq).map(({ operationId, amount, debt }) => [operationId, amount, debt]), [[`settle-${sessionId}-${onTheWay}`, -onTheWay, 0], [`settle-${sessionId}-${consumedDOFs}`, onTheWay - consumedDOFs, 0]]);
    for (const { amount, lots } of ledger) assert.equal(lots.reduce((sum, lot) => sum + lot.amount, 0), amount);
    const taken = ledger.flatMap((entry) => entry.lots);
    const from = (grantId: string) => -taken.filter((lot) => lot.grantId === grantId).reduce((sum, { amount }) => sum + amount, 0);
    assert.equal(taken[0]?.grantId, 'lot-1', 'the lot of lower priority burns first');
    assert.deepEqual([from('lot-1'), from('lot-0')], [60, consumedDOFs - 60]);
    assert.deepEqual(Object.keys((await readAgent(player))!.lots), ['lot-0'], 'a lot leaves with its last DOF');
  });

  it('sends the first result again for a repeated request, and a conflict for another body', async () => {
    const player = await givePlayer();
    const sessionId = await start(player);
    const first = await player.call('processFrame', { sessionId, requestId: 'once', frameData: frames[0] });
    const again = await player.call('processFrame', { sessionId, requestId: 'once', frameData: frames[0] });
    assert.deepEqual(again, { ...first, replayed: true });
    const conflict = await refusal(player.call('processFrame', { sessionId, requestId: 'once', frameData: frames[1] }));
    assert.deepEqual([conflict.code, conflict.reason], ['already-exists', 'request_conflict']);
    assert.equal((await player.call('endSession', { sessionId })).consumedDOFs, first.costDOFs);
  });

  it('ends by itself when the next frame cannot be paid', async () => {
    const player = await givePlayer({ dofs: 40 });
    const sessionId = await start(player);
    const refused = await refusal((async () => {
      for (let index = 0; index < 20; index++) await player.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[0] });
    })());
    assert.deepEqual([refused.code, refused.reason], ['resource-exhausted', 'dofs_exhausted']);
    const session = await settled(sessionId);
    assert.equal(session.closeReason, 'dofs_exhausted');
    const { balance, held } = await sums(player);
    assert.equal(balance, 40 - session.consumedDOFs);
    assert.equal(held, 0);
    assert.ok(balance >= 0);
    const closed = await refusal(player.call('processFrame', { sessionId, requestId: 'late', frameData: frames[0] }));
    assert.deepEqual([closed.code, closed.reason], ['failed-precondition', 'session_closed']);
  });

  it('holds some DOFs first, adds to them when a turn does not fit, and gives back what is left', async () => {
    const player = await givePlayer({ lots: [{ amount: 40, priority: 10 }, { amount: 1_000, priority: 20 }] });
    const { sessionId, remainingDOFs, config } = await startWith(player, { limits: { holdDOFs: 30 } });
    assert.deepEqual([remainingDOFs, config.limits.holdDOFs], [1_040, 30], 'what is left to spend is more than what is held at first');
    assert.deepEqual((await readAgent(player))!.holds[sessionId]!.lots, [{ grantId: 'lot-0', amount: 30 }]);
    let spent = 0;
    for (let index = 0; index < 10; index++) {
      const answer = await player.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[index] });
      spent += answer.costDOFs;
      assert.deepEqual([answer.consumedDOFs, answer.remainingDOFs], [spent, 1_040 - spent]);
    }
    const held = (await readAgent(player))!.heldDOFs;
    const rises = held / 30 - 1;
    assert.ok(spent > 60 && rises >= 2 && Number.isInteger(rises), `${spent} spent, ${held} held in steps of 30`);
    assert.deepEqual((await readAgent(player))!.holds[sessionId]!.lots, [{ grantId: 'lot-0', amount: 40 }, { grantId: 'lot-1', amount: held - 40 }]);
    assert.deepEqual(await sums(player), { ledger: 1_040, lots: 1_040, balance: 1_040, held });
    assert.equal((await read<SessionDoc>(`sessions/${sessionId}`))?.heldDOFs, held);

    assert.equal((await player.call('endSession', { sessionId })).consumedDOFs, spent);
    await settled(sessionId);
    assert.deepEqual(await sums(player), { ledger: 1_040 - spent, lots: 1_040 - spent, balance: 1_040 - spent, held: 0 });
    const { state, postedDOFs, releasedDOFs, lots } = await holdOf(player, sessionId);
    assert.deepEqual({ state, postedDOFs, releasedDOFs, lots }, { state: 'posted', postedDOFs: spent, releasedDOFs: held - spent, lots: [{ grantId: 'lot-1', amount: held - spent }] });
    assert.deepEqual(await eventTypes(sessionId), ['session.ended', ...Array<string>(rises).fill('session.hold_extended'), 'session.settled', 'session.started']);
  });

  it('adds no more than a session may spend', async () => {
    const player = await givePlayer({ dofs: 1_000 });
    const { sessionId } = await startWith(player, { limits: { holdDOFs: 25, maxDOFsPerSession: 45 } });
    const refused = await refusal((async () => {
      for (let index = 0; index < 20; index++) await player.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[index] });
    })());
    assert.equal(refused.reason, 'dofs_exhausted');
    const { consumedDOFs, closeReason } = await settled(sessionId);
    assert.equal(closeReason, 'dofs_exhausted');
    assert.ok(consumedDOFs > 25 && consumedDOFs <= 45, `consumed ${consumedDOFs}`);
    assert.equal((await holdOf(player, sessionId)).releasedDOFs, 45 - consumedDOFs);
    assert.deepEqual(await sums(player), { ledger: 1_000 - consumedDOFs, lots: 1_000 - consumedDOFs, balance: 1_000 - consumedDOFs, held: 0 });
  });

  it('spends the last DOFs on a reply that is cut when they are used up', async () => {
    const { bare: { least }, held, inputPrice } = await firstFrame('google-rookie');
    assert.ok(least < held, 'there is something between a whole turn and none');
    const player = await givePlayer({ productId: 'google-rookie', dofs: least });
    const sessionId = await start(player);
    const { chunks, data } = await player.stream('processFrame', { sessionId, requestId: 'last', frameData: frames[0] });
    assert.equal(data.cutBecause, 'dofs_exhausted');
    assert.ok(['length', 'cut'].includes(data.outcome), data.outcome);
    assert.equal(chunks.map((chunk) => (chunk as { text: string }).text).join(''), data.reply);
    assert.ok(data.reply.length > 0 && data.costDOFs >= inputPrice && data.costDOFs <= least, `${data.costDOFs} of ${least} DOFs`);
    assert.deepEqual([data.consumedDOFs, data.remainingDOFs], [data.costDOFs, least - data.costDOFs]);
    assert.deepEqual(await player.call('processFrame', { sessionId, requestId: 'last', frameData: frames[0] }), { ...data, replayed: true });

    const refused = await refusal(player.call('processFrame', { sessionId, requestId: 'beyond', frameData: frames[0] }));
    assert.deepEqual([refused.code, refused.reason], ['resource-exhausted', 'dofs_exhausted']);
    assert.equal((await settled(sessionId)).closeReason, 'dofs_exhausted');
    const left = least - data.costDOFs;
    assert.deepEqual(await sums(player), { ledger: left, lots: left, balance: left, held: 0 });
  });

  it('takes nothing from a lot that has expired, and is refused when there is no other', async () => {
    const gone = new Date(Date.now() - 1_000);
    const player = await givePlayer({ lots: [{ amount: 300, priority: 1, expiresAt: gone }, { amount: 70, priority: 20 }] });
    const { sessionId, remainingDOFs } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    assert.equal(remainingDOFs, 70);
    const { costDOFs } = await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] });
    await player.call('endSession', { sessionId });
    await settled(sessionId);
    assert.equal((await readAgent(player))!.lots['lot-1']!.remaining, 70 - costDOFs);
    const poor = await givePlayer({ lots: [{ amount: 300, expiresAt: gone }] });
    assert.equal((await refusal(start(poor))).reason, 'no_dofs');
  });

  it('tells of a balance that falls below a threshold, once', async () => {
    const player = await givePlayer({ dofs: 100, alertThresholds: [99, 50, 10] });
    const { sessionId } = await startWith(player, { settleEveryDOFs: 5 });
    for (const requestId of ['r0', 'r1', 'r2']) await player.call('processFrame', { sessionId, requestId, frameData: frames[0] });
    await player.call('endSession', { sessionId });
    await settled(sessionId);
    const alerts = (await admin().firestore.collection('outbox').where('subject', '==', `${player.uid}:${player.agentInstanceId}`).get()).docs.filter((doc) => doc.get('type') === 'agent.low_balance');
    assert.deepEqual(alerts.map((doc) => (doc.get('data') as { thresholds: number[] }).thresholds), [[99]]);
  });

  it('creates the user document of a new account', async () => {
    const { auth } = admin();
    const { uid } = await auth.createUser({ email: `new-${Date.now()}@jiga.example`, displayName: 'Nia New' });
    await eventually(async () => (await readUser(uid))?.displayName === 'Nia New', 'the user document');
    const me = await (await clientOf(uid)).call('getMe', {});
    assert.deepEqual(me.ownedAgents, []);
    assert.equal(me.activeSessionId, undefined);
  });

  it('shows the user with its agents and the open session', async () => {
    const player = await givePlayer({ dofs: 700 });
    const sessionId = await start(player);
    const me = await player.call('getMe', {});
    assert.equal(me.activeSessionId, sessionId);
    assert.deepEqual(me.ownedAgents.map(({ currentDOFs, heldDOFs, availableDOFs, debtDOFs }) => ({ currentDOFs, heldDOFs, availableDOFs, debtDOFs })), [{ currentDOFs: 700, heldDOFs: 700, availableDOFs: 0, debtDOFs: 0 }]);
    assert.deepEqual(me.ownedAgents[0]?.lots.map(({ createdAt: _at, ...lot }) => lot), [{ grantId: 'lot-0', source: 'purchase', remainingDOFs: 700, priority: 10, expiresAt: null, voided: false }]);
    assert.equal((await player.call('renameAgent', { agentInstanceId: player.agentInstanceId, customName: 'Buddy' })).customName, 'Buddy');
    assert.equal((await readAgent(player))?.customName, 'Buddy');
  });
});
