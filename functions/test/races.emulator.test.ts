import assert from 'node:assert/strict';
import type { RequestRecord } from '../src/live/requests.ts';
import { openLive, readContext } from '../src/live/store.ts';
import { processTurn, type TurnDeps } from '../src/live/turn.ts';
import { noUsage, type ModelProvider } from '../src/providers/types.ts';
import { AppError } from '../src/runtime/errors.ts';
import { newId, now } from '../src/runtime/system.ts';
import { runSweep } from '../src/ops/sweep.ts';
import { endSession } from '../src/sessions/lifecycle.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { commitStart } from '../src/sessions/store-lifecycle.ts';
import { abilitiesWith } from './abilities.ts';
import { frames } from './frames.ts';
import { admin, closeClients, eventually, givePlayer, read, readUser, refusal, sums, type Player } from './harness.ts';

after(closeClients);

const at = async (path: string): Promise<Record<string, unknown> | null> => (await admin().database.ref(path).get()).val() as Record<string, unknown> | null;
const readSession = async (sessionId: string): Promise<SessionDoc> => (await read<SessionDoc>(`sessions/${sessionId}`))!;
const depsWith = (provider: ModelProvider): TurnDeps => ({ now, newId, abilities: abilitiesWith(provider), endSession: (id, reason) => endSession(id, reason, now) });
const watcher = (uid: string) => ({ uid, emit: () => undefined, signal: new AbortController().signal });

async function started(): Promise<{ player: Player; sessionId: string }> {
  const player = await givePlayer({ dofs: 5_000 });
  const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
  return { player, sessionId };
}

describe('taking a session over', () => {
  it('lets the new client go on at once and refuses the one before', async () => {
    const { player, sessionId } = await started();
    for (let generation = 2; generation < 6; generation++) {
      const taken = await player.call('startSession', { agentInstanceId: player.agentInstanceId, takeOver: true });
      assert.deepEqual([taken.sessionId, taken.generation, taken.resumed], [sessionId, generation, true]);
      const turn = { sessionId, frameData: frames[0]! };
      assert.equal((await player.call('processFrame', { ...turn, requestId: `new-${generation}`, generation })).outcome, 'complete');
      const old = await refusal(player.call('processFrame', { ...turn, requestId: `old-${generation}`, generation: generation - 1 }));
      assert.deepEqual([old.code, old.reason], ['failed-precondition', 'session_superseded']);
    }
  });
});

describe('an end that overtakes', () => {
  it('a slow start leaves no meter that could be spent', async () => {
    const player = await givePlayer({ dofs: 5_000 });
    const start = await commitStart({ uid: player.uid, agentInstanceId: player.agentInstanceId, takeOver: false, gameContext: null, sessionId: newId(), now: now() });
    assert.equal(start.kind, 'started');
    const { session } = start;
    await endSession(session.sessionId, 'superseded', now);
    assert.equal((await openLive(session)).open, false, 'the start comes too late');
    const late = await refusal(player.call('processFrame', { sessionId: session.sessionId, requestId: 'free', frameData: frames[0] }));
    assert.equal(late.reason, 'session_closed');
    await eventually(async () => (await at(`live/${session.sessionId}`))?.['status'] !== 'active', 'live/ to show the end');
    assert.deepEqual(await sums(player), { ledger: 5_000, lots: 5_000, balance: 5_000, held: 0 });
  });

  it('another end keeps the reason of the first', async () => {
    const { sessionId } = await started();
    await admin().database.ref(`meters/${sessionId}`).update({ open: false, closeReason: 'user', dueAt: now() + 60_000 });
    await endSession(sessionId, 'expired', now);
    assert.equal((await readSession(sessionId)).closeReason, 'user');
  });

  it('a turn that ignores being stopped changes nothing afterwards', async function () {
    this.timeout(60_000);
    const { player, sessionId } = await started();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const deaf: ModelProvider = {
      name: 'offline',
      async *generate() {
        ask();
        yield { type: 'text', text: 'hello' };
        await held;
        yield { type: 'done', outcome: 'complete', usage: { ...noUsage, textInputTokens: 3_000, outputTokens: 400 } };
      },
    };
    const turn = refusal(processTurn({ sessionId, requestId: 'deaf', frameData: frames[0]! }, (await readContext(sessionId))!, depsWith(deaf), watcher(player.uid)));
    // The model is asked once the lease is taken. Asking the meter instead would not do: a get() below a path that this
    // process listens to may leave an older value in the SDK's cache.
    await asked;
    const ended = await endSession(sessionId, 'user', now);
    const [live, record] = [await at(`live/${sessionId}/dofs`), await at(`requests/${sessionId}/deaf`)];
    release();
    assert.equal((await turn).code, 'deadline-exceeded');
    assert.deepEqual(await at(`live/${sessionId}/dofs`), live);
    assert.deepEqual(await at(`requests/${sessionId}/deaf`), record);
    assert.deepEqual([record?.['cost'], live?.['consumed']], [ended?.consumedDOFs, ended?.consumedDOFs]);
  });
});

describe('what is gone', () => {
  it('an agent and its account: the session ends, is written off and brings nobody back', async () => {
    const { player, sessionId } = await started();
    await admin().firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`).delete();
    await admin().firestore.doc(`users/${player.uid}`).delete();
    await endSession(sessionId, 'admin', now);
    assert.equal((await readSession(sessionId)).settlement, 'done');
    assert.equal(await readUser(player.uid), undefined);
    assert.deepEqual((await player.call('getMe', {})).ownedAgents, [], 'the account can come back as a new one');
  });

  it('a session document: its live state goes too', async () => {
    const sessionId = newId();
    await admin().database.ref().update({
      [`meters/${sessionId}`]: { open: true, generation: 1, limit: 10, consumed: 0, checkpointed: 0, expiresAt: now() + 60_000, dueAt: 1 },
      [`live/${sessionId}`]: { status: 'active' },
    });
    await runSweep(now);
    assert.deepEqual([await at(`meters/${sessionId}`), await at(`live/${sessionId}`)], [null, null]);
  });
});

describe('a turn after one whose function died', () => {
  it('that had recorded its end need not wait for the lease', async () => {
    const { player, sessionId } = await started();
    const first = await player.call('processFrame', { sessionId, requestId: 'first', frameData: frames[0] });
    const before = (await at(`meters/${sessionId}`))!;
    await admin().database.ref(`meters/${sessionId}`).set({
      ...before, consumed: 0, turn: { requestId: 'first', fence: first.turnId, held: 60, inputPrice: 9, expiresAt: now() + 55_000 },
    });
    await admin().database.ref(`requests/${sessionId}/first/expiresAt`).set(now() - 5_000);
    const next = await player.call('processFrame', { sessionId, requestId: 'next', frameData: frames[0] });
    assert.equal(next.consumedDOFs, first.costDOFs + next.costDOFs);
  });

  it('shows what the dead one cost even when it fails itself', async () => {
    const { player, sessionId } = await started();
    await admin().database.ref().update({
      [`meters/${sessionId}/turn`]: { requestId: 'dead', fence: 'x', held: 40, inputPrice: 9, expiresAt: now() - 1 },
      [`requests/${sessionId}/dead`]: { hash: 'h', state: 'running', expiresAt: now() - 1, turnId: 'x', input: '{}', model: 'offline' } satisfies RequestRecord,
    });
    const failing: ModelProvider = { name: 'offline', generate: () => { throw new AppError('unavailable', 'down', { reason: 'provider_unavailable' }); } };
    const failed = await refusal(processTurn({ sessionId, requestId: 'f', frameData: frames[0]! }, (await readContext(sessionId))!, depsWith(failing), watcher(player.uid)));
    assert.equal(failed.reason, 'provider_unavailable');
    assert.deepEqual([(await at(`meters/${sessionId}`))?.['consumed'], (await at(`live/${sessionId}/dofs`))?.['consumed']], [9, 9]);
    assert.equal((Object.values((await at(`streams/${sessionId}/x`)) ?? {})[0] as { type: string }).type, 'error', 'nobody waits for the rest of the dead one');
  });
});
