import assert from 'node:assert/strict';
import { Stage } from './stage.ts';

const many = <T>(count: number, act: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => act(index));
/** Rates at which a frame costs exactly one DOF, whatever the model says. */
const onePerFrame = { frame: { standard: 1, burst: 1, continuous: 1 }, instruction: 0, audioSecond: 0, per1kTokens: { text: 0, image: 0, audio: 0, cached: 0, output: 0, reasoning: 0 } };

/** Plays one round on a stage of its own, with four processes. */
async function round(seed: number, options: ConstructorParameters<typeof Stage>[0], play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage({ seed, ...options });
  try {
    while (stage.pool.length < 4) stage.pool.push(stage.world.boot());
    await play(stage);
    await stage.curtain();
  } finally {
    await stage.world.close();
  }
}

describe('calls that arrive together, in memory', function () {
  this.timeout(600_000);

  it('64 starts for one user make one session, in each of 200 rounds', async () => {
    for (let seed = 0; seed < 200; seed++) {
      await round(seed, { agents: 2 }, async (stage) => {
        await stage.play(many(64, (index) => () => stage.clients.start('ann', index % 2, false)), 64);
        const sessions = stage.sessions();
        assert.equal(sessions.length, 1, `seed ${seed}`);
        assert.equal(stage.agent('ann', 0).heldDOFs + stage.agent('ann', 1).heldDOFs, sessions[0]!.heldDOFs);
      });
    }
  });

  it('20 holds of 75 on a balance of 500 are exactly 6', async () => {
    for (let seed = 0; seed < 20; seed++) {
      await round(seed, { dofs: 500 }, async (stage) => {
        await stage.play(many(20, (index) => () => stage.clients.money('placeHold', 'ann', 0, { idempotencyKey: `h${index}`, amount: 75, ttlSeconds: 600 })), 20);
        assert.deepEqual([Object.keys(stage.agent().holds).length, stage.agent().heldDOFs], [6, 450], `seed ${seed}`);
        assert.equal(stage.clients.told.refusals.get('insufficient_dofs'), 14);
      });
    }
  });

  it('100 frames on the last DOF are exactly one', async () => {
    for (let seed = 0; seed < 10; seed++) {
      await round(seed, { dofs: 1, rates: onePerFrame }, async (stage) => {
        await stage.play([() => stage.clients.start('ann', 0, false)]);
        await stage.play(many(100, (index) => () => stage.turn(`r${index}`, { frame: true })), 100);
        assert.deepEqual([...stage.clients.told.turns.values()], [1], `seed ${seed}`);
      });
    }
  });

  it('a frame that has not changed, sent 30 times under one id, is skipped and paid for once', async () => {
    for (let seed = 0; seed < 10; seed++) {
      await round(seed, { dofs: 500 }, async (stage) => {
        await stage.play([() => stage.clients.start('ann', 0, false), () => stage.turn('r0', { frame: true })]);
        await stage.play(many(30, () => () => stage.turn('r1', { frame: true })), 30);
        const [seen, skipped] = [...stage.clients.told.turns.values()];
        assert.deepEqual([seen! > 1, skipped], [true, 1], `seed ${seed}`);
      });
    }
  });

  it('starts that take over and turns in one process all get an answer', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const stage = new Stage({ seed, dofs: 5_000 });
      try {
        await stage.play([() => stage.clients.start('ann', 0, false)]);
        await stage.play(many(12, (index) => () => (index % 2 === 0 ? stage.clients.start('ann', 0, true) : stage.turn(`r${index}`))), 12);
        await stage.curtain();
      } finally {
        await stage.world.close();
      }
    }
  });

  it('one payment that is reported 30 times is granted once', async () => {
    for (let seed = 0; seed < 10; seed++) {
      await round(seed, { agents: 2 }, async (stage) => {
        const pay = (agent: number) => () => stage.clients.money('grantDofs', 'ann', agent, { idempotencyKey: 'payment', amount: 40, source: 'purchase', reason: 'bought' });
        await stage.play(many(30, (index) => pay(index % 2)), 30);
        assert.equal(stage.agent('ann', 0).currentDOFs + stage.agent('ann', 1).currentDOFs, 240, `seed ${seed}`);
        assert.equal(stage.clients.told.refusals.get('request_conflict'), 15, 'the other agent is another body');
      });
    }
  });
});
