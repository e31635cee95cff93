import { exactly, type Benchmark } from './benchmark.ts';
import { ratio, samplesOf, summary, interleave, timed } from './method.ts';
import { requestsIn } from './taps/operations.ts';
import { call, open } from './world/calls.ts';

/** P1: what startSession costs beside a bare transaction. */
export const startCost: Benchmark = {
  id: 'P1',
  title: 'startSession beside a bare transaction',
  how: '`startSession` over HTTP with a signed-in player each time, against `naiveStart` (`tools/bench/baselines/naive.ts`): a callable that reads and writes the same documents in one Firestore transaction, without live state, prices, schemas or repeats. Both are served by the functions framework, one instance each. Events are dropped, since deployed they run elsewhere.',
  async run({ world, plan, signal }) {
    const project = await world.project();
    const [ours, bare] = await Promise.all([world.instance({ target: 'startSession' }), world.instance({ target: 'naiveStart', baseline: 'naive' })]);
    const [players, others] = await Promise.all([project.players(samplesOf(plan)), project.players(samplesOf(plan))]);
    const sides = await interleave({
      ours: (index) => timed(() => open(ours, players[index]!)),
      bare: (index) => timed(() => call(bare, others[index]!, { agentInstanceId: others[index]!.agentInstanceId })),
    }, plan, signal);
    return {
      goals: [{ what: 'startSession p50 / bare transaction p50', limit: 1.3, unit: '×', ...ratio(sides.ours, sides.bare) }],
      beside: [
        { what: 'startSession, p50', unit: ' ms', ...summary(sides.ours) },
        { what: 'bare transaction, p50', unit: ' ms', ...summary(sides.bare) },
      ],
    };
  },
};

/** P2: Firestore round trips of startSession. */
export const startRoundTrips: Benchmark = {
  id: 'P2',
  title: 'Firestore round trips of startSession',
  how: 'Counted, not timed: between a fresh instance and the Firestore emulator stands an HTTP/2 server that hands every gRPC request on and reads along (`tools/bench/taps`). The first start of an instance reads the product as well, later ones know it.',
  async run({ world }) {
    const project = await world.project();
    const tap = await world.tapFirestore();
    const starting = await world.instance({ target: 'startSession', firestore: tap });
    const players = await project.players(6);
    const counts: number[] = [];
    const methods: string[] = [];
    for (const player of players) {
      tap.take();
      await open(starting, player);
      const operations = tap.take();
      counts.push(requestsIn(operations));
      methods.push(Object.entries(operations.requests).map(([method, count]) => `${count} ${method}`).join(', '));
    }
    return {
      goals: [{ what: 'round trips, most of any start', limit: 3, unit: '', ...exactly(Math.max(...counts)) }],
      beside: [
        { what: 'first start of an instance', value: counts[0]!, unit: ' round trips' },
        { what: 'later starts', value: Math.max(...counts.slice(1)), unit: ' round trips' },
      ],
      notes: [`First: ${methods[0]}. Later: ${methods[1]}.`],
    };
  },
};
