import assert from 'node:assert/strict';
import { now } from '../../src/runtime/system.ts';
import { runSweep } from '../../src/ops/sweep.ts';
import { endSession } from '../../src/sessions/lifecycle.ts';
import { Stage } from './stage.ts';

const tenMinutes = 10 * 60_000;

/** What can meet a session from outside; each on a process of its own. */
const actors: Record<string, (stage: Stage) => Promise<unknown>> = {
  endSession: (stage) => stage.clients.end('ann'),
  frame: (stage) => stage.turn('met', { frame: true }),
  prune: (stage) => stage.world.call(stage.world.boot(tenMinutes), () => runSweep(now)),
  expiry: (stage) => stage.world.call(stage.world.boot(), () => endSession(stage.clients.sessions.get('ann')!, 'expired', now)),
};
const names = Object.keys(actors);
const pairs = names.flatMap((first, index) => names.slice(index).map((second) => [first, second] as const));

describe('two that meet at one session', function () {
  this.timeout(120_000);

  for (const [first, second] of pairs) {
    for (const skewMs of [0, tenMinutes, -tenMinutes]) {
      it(`${first} and ${second}, clocks ${skewMs / 60_000} minutes apart: one terminal state, one release`, async () => {
        for (let seed = 0; seed < 25; seed++) {
          const stage = new Stage({ seed });
          try {
            await stage.play([() => stage.clients.start('ann', 0, false), () => stage.turn('before')]);
            stage.pool.push(stage.world.boot(skewMs));
            await stage.play([() => actors[first]!(stage), () => actors[second]!(stage)], 2);
            await stage.curtain();
            const [session, ...others] = stage.sessions();
            assert.deepEqual([session?.status, session?.settlement, others.length], ['ended', 'done', 0], `seed ${seed}`);
            const told = [...stage.clients.told.turns.values()].reduce((sum, cost) => sum + cost, 0);
            assert.ok(session!.consumedDOFs >= told && stage.agent().currentDOFs === 100 - session!.consumedDOFs, `seed ${seed}`);
          } finally {
            await stage.world.close();
          }
        }
      });
    }
  }
});
