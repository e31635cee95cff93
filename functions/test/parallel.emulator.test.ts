import assert from 'node:assert/strict';
import { hold } from '../src/credits/store-admin.ts';
import { requireContext } from '../src/live/context.ts';
import { processTurn, type TurnDeps } from '../src/live/turn.ts';
import { noUsage, type ModelProvider } from '../src/providers/types.ts';
import type { AppError } from '../src/runtime/errors.ts';
import { newId, now } from '../src/runtime/system.ts';
import { endSession, startSession } from '../src/sessions/lifecycle.ts';
import { abilitiesWith } from './abilities.ts';
import { frames } from './frames.ts';
import { admin, closeClients, givePlayer, readAgent, readUser, sums } from './harness.ts';

after(closeClients);

const rounds = 200;
const together = <T>(count: number, act: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> => Promise.allSettled(Array.from({ length: count }, (_, index) => act(index)));
const refusals = (results: PromiseSettledResult<unknown>[]): string[] => results.flatMap((result) => (result.status === 'rejected' ? [String((result.reason as AppError).details?.reason ?? result.reason)] : []));
const fulfilled = <T>(results: PromiseSettledResult<T>[]): T[] => results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));

/** A model that answers at once, so that a frame costs what the frame itself costs. */
const model: ModelProvider = {
  name: 'offline',
  async *generate() {
    await Promise.resolve();
    yield { type: 'text', text: 'Seen.' };
    yield { type: 'done', outcome: 'complete', usage: noUsage };
  },
};
const deps: TurnDeps = { now, newId, abilities: abilitiesWith(model), endSession: (id, reason) => endSession(id, reason, now) };

describe('calls that arrive together, on the emulators', () => {
  it(`64 starts for one user make one session, in each of ${rounds} rounds`, async function () {
    this.timeout(900_000);
    const player = await givePlayer({ dofs: 1_000 });
    for (let round = 0; round < rounds; round++) {
      const results = await together(64, () => startSession({ uid: player.uid, agentInstanceId: player.agentInstanceId, takeOver: false, gameContext: null }, { now, newId }));
      assert.deepEqual(refusals(results), [], `round ${round}`);
      const started = fulfilled(results);
      assert.equal(started.filter(({ resumed }) => !resumed).length, 1, `round ${round}`);
      const [sessionId, ...others] = new Set(started.map(({ session }) => session.sessionId));
      assert.deepEqual(others, [], `round ${round}`);
      assert.deepEqual(Object.keys((await readUser(player.uid))!.activeSessions), [sessionId]);
      assert.equal((await readAgent(player))?.heldDOFs, 1_000, 'held once');
      await endSession(sessionId!, 'user', now);
    }
    assert.deepEqual(await sums(player), { ledger: 1_000, lots: 1_000, balance: 1_000, held: 0 });
  });

  it('20 holds of 75 on a balance of 500 are exactly 6', async () => {
    const player = await givePlayer({ dofs: 500 });
    const target = { userId: player.uid, agentInstanceId: player.agentInstanceId };
    const results = await together(20, (index) => hold({ operationId: `hold-${player.uid}-${index}`, fingerprint: 'f', actor: 'root' }, target, `hold-${index}`, 75, 600_000));
    assert.equal(fulfilled(results).length, 6);
    assert.deepEqual(refusals(results), Array<string>(14).fill('insufficient_dofs'));
    assert.deepEqual(await sums(player), { ledger: 500, lots: 500, balance: 500, held: 450 });
  });

  it('100 frames on the last DOF are exactly one', async function () {
    this.timeout(120_000);
    const player = await givePlayer({ dofs: 1 });
    const { session: { sessionId } } = await startSession({ uid: player.uid, agentInstanceId: player.agentInstanceId, takeOver: false, gameContext: null }, { now, newId });
    const context = await requireContext(player.uid, sessionId);
    const free = { frame: { standard: 1, burst: 1, continuous: 1 }, instruction: 0, audioSecond: 0, per1kTokens: { text: 0, image: 0, audio: 0, cached: 0, output: 0, reasoning: 0 }, per1kSpokenCharacters: 0 };
    const onePerFrame = { ...context, config: { ...context.config, dofRates: free } };
    const results = await together(100, (index) => processTurn({ sessionId, requestId: `r${index}`, frameData: frames[0]! }, onePerFrame, deps, { uid: player.uid, emit: () => undefined, signal: new AbortController().signal }));
    assert.deepEqual(fulfilled(results).map(({ costDOFs }) => costDOFs), [1]);
    assert.equal((await admin().database.ref(`meters/${sessionId}/consumed`).get()).val(), 1);
    await endSession(sessionId, 'user', now);
    assert.deepEqual(await sums(player), { ledger: 0, lots: 0, balance: 0, held: 0 });
  });
});
