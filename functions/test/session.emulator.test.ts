import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { LedgerDoc } from '../src/credits/schema.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, closeClients, clientOf, eventually, givePlayer, read, readAgent, readAll, readUser, refusal, sums, watch, type Player } from './harness.ts';

after(closeClients);

const framesFolder = new URL('../../tools/demo/frames/', import.meta.url);
const frames = readdirSync(framesFolder).filter((name) => name.endsWith('.jpg')).sort().slice(0, 5).map((name) => readFileSync(new URL(name, framesFolder)).toString('base64'));

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
    for (const [index, frameData] of frames.entries()) {
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
    const outbox = (await admin().firestore.collection('outbox').where('subject', '==', started.sessionId).get()).docs.map((doc) => doc.data());
    assert.deepEqual(outbox.map((event) => event['type'] as string).sort(), ['session.ended', 'session.settled', 'session.started']);
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
    const sessionId = await start(player);
    for (let index = 0; index < 4; index++) await player.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[0] });
    const { consumedDOFs } = await player.call('endSession', { sessionId });
    await settled(sessionId);
    const ledger = (await readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).filter((entry) => entry.type === 'settlement');
    assert.equal(ledger.reduce((sum, entry) => sum - entry.amount, 0), consumedDOFs);
    assert.equal(ledger.flatMap((entry) => entry.lots)[0]?.grantId, 'lot-1', 'the lot of lower priority burns first');
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
    assert.deepEqual(me.ownedAgents.map(({ currentDOFs, heldDOFs, availableDOFs }) => ({ currentDOFs, heldDOFs, availableDOFs })), [{ currentDOFs: 700, heldDOFs: 700, availableDOFs: 0 }]);
    assert.equal((await player.call('renameAgent', { agentInstanceId: player.agentInstanceId, customName: 'Buddy' })).customName, 'Buddy');
    assert.equal((await readAgent(player))?.customName, 'Buddy');
  });
});
