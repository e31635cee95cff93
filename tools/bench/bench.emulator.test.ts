import assert from 'node:assert/strict';
import { connectAdmin } from '../admin.ts';
import { isHeld, type Benchmark, type Outcome } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import type { Plan } from './method.ts';
import { measuredIn } from './scaling/page.ts';
import { watchEvents } from './world/watched-events.ts';
import { World } from './world/world.ts';

const tiny: Plan = { warmups: 0, rounds: 1, perRound: 1 };
/** Goals that are counts: those are the same however slow the machine is. */
const counted = ['P2', 'P8'];

describe('the benchmarks', () => {
  const stopped = new AbortController();
  const eventProject = 'demo-jiga-bench-events';
  const variables = ['FIRESTORE_EMULATOR_HOST', 'FIREBASE_DATABASE_EMULATOR_HOST', 'PUBSUB_EMULATOR_HOST', 'METADATA_SERVER_DETECTION'];
  const outcomes = new Map<string, Outcome>();
  let world: World;

  before(() => {
    const env = Object.fromEntries(variables.map((name) => [name, process.env[name] ?? '']));
    const admin = connectAdmin(env, { projectId: eventProject, accounts: false });
    const suite = { env, urls: { firestore: `http://${env['FIRESTORE_EMULATOR_HOST']}`, database: `http://${env['FIREBASE_DATABASE_EMULATOR_HOST']}` } };
    world = new World({ signal: stopped.signal, say: () => undefined, running: { suite, eventProject, events: watchEvents(admin.firestore) } });
  });
  after(async () => {
    stopped.abort();
    await world.close();
  });

  const run = async ({ id, run: measure }: Benchmark): Promise<void> => {
    const outcome = await measure({ world, plan: tiny, quick: true, signal: stopped.signal }).finally(() => world.tidy());
    outcomes.set(id, outcome);
    for (const { what, value } of [...outcome.goals, ...outcome.beside]) assert.ok(Number.isFinite(value), what);
    for (const goal of outcome.goals) assert.ok(!counted.includes(id) || isHeld(goal), goal.what);
  };
  for (const benchmark of benchmarks) it(`${benchmark.id} runs`, () => run(benchmark)).timeout(60_000);

  it('count what the model of costs is made from', () => {
    const reports = benchmarks.map(({ id, title, how }) => ({ id, title, how, seconds: 0, ...outcomes.get(id)! }));
    const measured = measuredIn(reports)!;
    assert.equal(measured.naiveFrame.reads + measured.naiveFrame.writes, 4);
    assert.ok(measured.database.memberBytes > 0 && measured.database.memberBytes < 2_000);
  });
});
