import assert from 'node:assert/strict';
import { Stage } from './stage.ts';

/** All orders of so many things. */
function orders(count: number): number[][] {
  if (count === 0) return [[]];
  return orders(count - 1).flatMap((order) => Array.from({ length: count }, (_, at) => [...order.slice(0, at), count - 1, ...order.slice(at)]));
}

/**
 * Plays a session whose events all wait: its start, three checkpoints, and an end whose function died right after its
 * commit, with the final checkpoint. Delivers these six in the order asked for, and tells what they came to.
 */
async function play(order: number[], copiesOf: (stage: Stage) => number): Promise<unknown> {
  const stage = new Stage({ seed: 7, copies: () => 0 });
  try {
    await stage.play([() => stage.clients.start('ann', 0, false), ...Array.from({ length: 13 }, (_, index) => () => stage.turn(`r${index}`)), () => stage.dieAfterEnding('ann')]);
    const mirrors = stage.events.filter(({ name }) => name === 'mirrorSession');
    const six = [mirrors[0]!, ...stage.events.filter(({ name }) => name === 'settleCheckpoint'), mirrors.at(-1)!];
    assert.equal(six.length, 6, stage.events.map(({ name, path }) => `${name} ${path}`).join());
    const process = stage.world.boot();
    await stage.play(order.flatMap((index) => Array.from({ length: copiesOf(stage) }, () => () => stage.world.call(process, six[index]!.handle))));
    const state = stateOf(stage);
    await stage.play([() => stage.deliver(({ name }) => name === 'mirrorSession')]);
    await stage.curtain();
    return state;
  } finally {
    await stage.world.close();
  }
}

/** Everything but what counts changes: how many settlements it took differs, since a later total covers an earlier one. */
function stateOf(stage: Stage): unknown {
  const { seq: _seq, ...agent } = stage.agent();
  const [{ version: _version, ...session } = { version: 0, sessionId: '' }] = stage.sessions();
  const { version: _shown, ...live } = stage.world.node(`live/${session.sessionId}`) as Record<string, unknown>;
  return JSON.parse(JSON.stringify({ agent, session, live, meter: stage.world.node(`meters/${session.sessionId}`) })) as unknown;
}

describe('the six events of a session', () => {
  it('delivered 1 to 5 times in every order come to the same as delivered once in order', async function () {
    this.timeout(600_000);
    const inOrder = await play([0, 1, 2, 3, 4, 5], () => 1);
    for (const order of orders(6)) {
      assert.deepEqual(await play(order, ({ world }) => 1 + world.chance.below(5)), inOrder, order.join());
    }
  });
});
