import assert from 'node:assert/strict';
import type { Benchmark, Outcome } from './benchmark.ts';
import { liveBytes } from './live.ts';
import { quickPlan } from './method.ts';
import { startRoundTrips } from './start.ts';
import { World } from './world/world.ts';

describe('the benchmarks', () => {
  const stopped = new AbortController();
  const variables = ['FIRESTORE_EMULATOR_HOST', 'FIREBASE_DATABASE_EMULATOR_HOST', 'PUBSUB_EMULATOR_HOST', 'METADATA_SERVER_DETECTION'];
  const env = Object.fromEntries(variables.map((name) => [name, process.env[name] ?? '']));
  const world = new World({
    signal: stopped.signal, say: () => undefined,
    suite: { env, urls: { firestore: `http://${env['FIRESTORE_EMULATOR_HOST']}`, database: `http://${env['FIREBASE_DATABASE_EMULATOR_HOST']}` } },
  });
  const run = async ({ run: measure }: Benchmark): Promise<Outcome> => {
    const outcome = await measure({ world, plan: quickPlan, quick: true, signal: stopped.signal });
    await world.tidy();
    return outcome;
  };

  after(async () => {
    stopped.abort();
    await world.close();
  });

  it('count the round trips to Firestore: a session starts with three at most, two on a warm instance', async () => {
    const { goals: [most], beside: [first, later] } = await run(startRoundTrips);
    assert.deepEqual([most?.value, first?.value, later?.value], [3, 3, 2]);
  });

  it('count what a frame moves through the Realtime Database', async () => {
    const { goals: [delivered], counts } = await run(liveBytes);
    assert.ok(delivered && delivered.value > 0 && delivered.value < 2_000, 'less than two kilobytes');
    assert.ok(counts!['functionRequestsPerFrame']! > 0);
  });
});
