import assert from 'node:assert/strict';
import { requireContext } from '../src/live/context.ts';
import { abilities } from '../src/live/equip.ts';
import { processFrameInput } from '../src/live/schema.ts';
import { processTurn, type TurnDeps } from '../src/live/turn.ts';
import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest, type ToolCall } from '../src/providers/types.ts';
import { newId, now } from '../src/runtime/system.ts';
import { endSession } from '../src/sessions/lifecycle.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, closeClients, eventually, givePlayer, read, readAgent, readAll, sums, type Player } from './harness.ts';
import { hostileCalls, injections } from './injections.ts';

after(closeClients);

/** A model that does whatever it reads: it calls what it is told to, passes every word on, and makes calls of its own. */
class ObedientModel implements ModelProvider {
  readonly name = 'offline';
  readonly asked: ModelRequest[] = [];
  private readonly hostile: ToolCall[];

  constructor(hostile: ToolCall[]) {
    this.hostile = hostile;
  }

  async *generate(request: ModelRequest): AsyncGenerator<ModelEvent> {
    await Promise.resolve();
    this.asked.push(request);
    const words = request.instruction ?? '';
    yield { type: 'text', text: words };
    if (request.tools) yield { type: 'calls', calls: request.rounds ? this.hostile : obedience(words) };
    yield { type: 'done', outcome: 'complete', usage: { ...noUsage, textInputTokens: 10, outputTokens: 5 } };
  }
}

/** Everything that the tools can do with a text. */
function obedience(words: string): ToolCall[] {
  const cut = words.slice(0, 200);
  return [
    { id: '1', name: 'rememberFact', args: { fact: words.slice(0, 500) } }, { id: '2', name: 'recallMemory', args: { query: cut } },
    { id: '3', name: 'setObjective', args: { objective: cut } }, { id: '4', name: 'lookUpGuide', args: { topic: cut } },
  ];
}

/** All that says who owns what, who may do what, and what is owed. */
async function rights(players: Player[]): Promise<unknown> {
  const operations = await admin().firestore.collection('operations').count().get();
  return { operations: operations.data().count, config: await read('config/server'), players: await Promise.all(players.map(rightsOf)) };
}

async function rightsOf(player: Player): Promise<unknown> {
  const place = `users/${player.uid}/agents/${player.agentInstanceId}`;
  const [account, user, agent, grants, ledger, holds, books] = await Promise.all([
    admin().auth.getUser(player.uid), read(`users/${player.uid}`), readAgent(player), readAll(`${place}/grants`), readAll(`${place}/ledger`), readAll(`${place}/holds`), sums(player),
  ]);
  return { claims: account.customClaims ?? null, user, agent, grants, ledger, holds, books };
}

describe('words that want to be orders', () => {
  it(`${injections.length} texts and ${hostileCalls.length} function calls change no DOF, owner or role`, async function () {
    this.timeout(300_000);
    const [player, bystander] = await Promise.all([givePlayer({ productId: 'gemini-veteran', dofs: 100_000 }), givePlayer()]);
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    const context = await requireContext(player.uid, sessionId);
    const before = await rights([player, bystander]);
    const session = await read<SessionDoc>(`sessions/${sessionId}`);
    const prices: number[] = [];

    for (const [index, words] of injections.entries()) {
      const model = new ObedientModel(hostileCalls.slice((index * 4) % hostileCalls.length).slice(0, 4));
      const deps: TurnDeps = { now, newId, abilities: { ...abilities, model: () => Promise.resolve(model) }, endSession: (id, reason) => endSession(id, reason, now) };
      const input = processFrameInput.safeParse({ sessionId, requestId: `turn-${index}`, instruction: words });
      assert.ok(input.success, `text ${index} is a valid instruction`);
      const { costDOFs, outcome } = await processTurn(input.data, { ...context, settleEveryDOFs: 1_000_000 }, deps, { uid: player.uid, emit: () => undefined, signal: new AbortController().signal });
      assert.equal(outcome, 'complete');
      prices.push(costDOFs);
      // What came back from the tools is what the model reads next, and obeys.
      assert.ok(model.asked.at(-1)!.rounds!.every(({ results }) => results.every((result) => JSON.stringify(result).length <= 600)));
    }

    // The same words cost the same, whatever they say: three calls of 10 tokens each, and 15 of output.
    assert.deepEqual([...new Set(prices)], [prices[0]]);
    assert.deepEqual(await rights([player, bystander]), before);
    assert.deepEqual(await read(`sessions/${sessionId}`), session);
    const consumed = prices.reduce((sum, price) => sum + price, 0);
    const meter = (await admin().database.ref(`meters/${sessionId}`).get()).val() as { consumed: number; generation: number };
    assert.deepEqual([meter.consumed, meter.generation], [consumed, 1]);
    const live = (await admin().database.ref(`live/${sessionId}`).get()).val() as { owner: string; members: object; status: string };
    assert.deepEqual([live.owner, live.members, live.status], [player.uid, { [player.uid]: 'owner' }, 'active']);

    await player.call('endSession', { sessionId });
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
    assert.equal((await sums(player)).balance, 100_000 - consumed);
  });
});
