import { exactly, type Bench, type Benchmark, type Figure } from './benchmark.ts';
import { billedIn, noOperations, plus, readsIn, type Operations } from './taps/operations.ts';
import type { FirestoreTap } from './taps/firestore.ts';
import { call, frames, open, sendFrame, until, type OpenSession } from './world/calls.ts';
import type { Player, Project } from './world/project.ts';
import type { World } from './world/world.ts';

const framesOfSession = 1_000;

/** What a session has cost so far, once everything that follows from it has happened. */
async function takeWhenQuiet({ world, signal }: Bench, project: Project, { uid }: Player, tap: FirestoreTap): Promise<Operations> {
  const { events } = await world.base();
  const unpublished = project.firestore.collection('outbox').where('published', '==', false);
  const isQuiet = async (): Promise<boolean> => {
    if (events.pending > 0) return false;
    const { docs } = await unpublished.get();
    return events.pending === 0 && docs.every((doc) => (doc.get('data') as { userId?: string }).userId !== uid);
  };
  await until(isQuiet, 'all events to be published', signal);
  return tap.take();
}

function described(what: string, operations: Operations): Figure[] {
  const { writes, expiring, refused } = operations;
  return [
    { what: `${what}: billed`, value: billedIn(operations), unit: '' },
    { what: `${what}: reads / writes / deletes by time-to-live`, value: readsIn(operations), unit: ` / ${writes} / ${expiring}` },
    ...(refused === 0 ? [] : [{ what: `${what}: commits that were refused, their writes counted`, value: refused, unit: '' }]),
  ];
}

function countsOf(name: string, operations: Operations): Record<string, number> {
  return { [`${name}Reads`]: readsIn(operations), [`${name}Writes`]: operations.writes, [`${name}Deletes`]: operations.deletes + operations.expiring };
}

async function playNaively(world: World, project: Project, count: number): Promise<Operations> {
  const tap = await world.tapFirestore();
  const [naiveStart, naiveFrame] = await Promise.all([world.instance({ target: 'naiveStart', baseline: 'naive' }), world.instance({ target: 'naiveFrame', baseline: 'naive', firestore: tap })]);
  const [player] = await project.players(1);
  const session: OpenSession = await open(naiveStart, player!);
  for (let index = 0; index < count; index++) {
    await call(naiveFrame, player!, { sessionId: session.sessionId, agentInstanceId: player!.agentInstanceId, frameData: frames[index % frames.length] });
  }
  return tap.take();
}

/** A session of so many frames, and how its money is held and settled. */
interface Money {
  frames: number;
  settleEveryDOFs: number;
  holdDOFs: number;
}

/** The same in small: as many settlements and extensions of the hold, with fewer frames between them. */
function scaled({ frames, settleEveryDOFs, holdDOFs }: Money): Money {
  const factor = 25;
  return { frames: frames / factor, settleEveryDOFs: settleEveryDOFs / factor, holdDOFs: holdDOFs / factor };
}

/** What a session has cost: its start, its frames, its end, each with everything that follows from it. */
interface Played {
  started: Operations;
  played: Operations;
  ended: Operations;
  consumed: number;
  frames: number;
}

type Playground = Record<'startSession' | 'processFrame' | 'endSession', { url: string }> & { project: Project; tap: FirestoreTap };

async function playSession(bench: Bench, { project, tap, startSession, processFrame, endSession }: Playground, { frames: count, settleEveryDOFs, holdDOFs }: Money): Promise<Played> {
  const [player] = await project.players(1);
  await project.configure((server) => ({ ...server, settleEveryDOFs, limits: { ...server.limits, holdDOFs } }));
  const quiet = (): Promise<Operations> => takeWhenQuiet(bench, project, player!, tap);
  await quiet();
  const session = await open(startSession, player!);
  const started = await quiet();
  let consumed = 0;
  for (let index = 0; index < count; index++) {
    bench.signal.throwIfAborted();
    consumed += Number((await sendFrame(processFrame, session))['costDOFs']);
  }
  const played = await quiet();
  await call(endSession, player!, { sessionId: session.sessionId });
  const ended = await quiet();
  await project.configure((server) => server);
  return { started, played, ended, consumed, frames: count };
}

function wholeOf({ started, played, ended }: Pick<Played, 'started' | 'played' | 'ended'>): Operations {
  return [started, played, ended].reduce(plus, noOperations());
}

const shortfall = 'A settlement of 1,000 DOFs (112 frames here) costs 9 operations: the checkpoint, session and agent read, session, agent, ledger entry and event written, the event marked as published, and deleted 30 days later. To these come a longer hold (7) for every 5,000 DOFs, the start (12) and the end (20, or 28 when the trigger of the final checkpoint settles at the same time as `endSession` and loses the race; its refused writes are counted although Firestore is not known to bill them). `settleEveryDOFs: 2000` and `holdDOFs: 10000` in config/server, measured beside it, risk nothing, since the meter is what is charged from, but show balances later; the defaults are those that were asked for. Deleting an event once it is published, instead of marking it, would save one operation in nine, and the history of events with it.';

/** P4: what Firestore bills for a thousand frames. */
export const frameOperations: Benchmark = {
  id: 'P4',
  title: 'Firestore operations that 1,000 frames cost',
  how: 'One session of 1,000 frames from its start to its last settlement, with everything that follows: `startSession`, `processFrame`, `endSession` and all triggers run as instances whose Firestore is the counting server of P2, which parses every request and answer. Counted is what Firestore bills: each document read (missing ones too), at least one read per query, each write and delete, and one more delete for each document that a time-to-live will remove (outbox events). A frame of `bench-rookie` costs 9 DOFs here. The naive side is a Firestore transaction for every frame (`naiveFrame`).',
  async run(bench) {
    const { world, quick } = bench;
    const project = await world.project(world.eventProject);
    const tap = await world.tapFirestore();
    const instances = await world.instances(['startSession', 'processFrame', 'endSession'], { project, firestore: tap });
    await world.serveTriggers({ project, firestore: tap });
    const play = (money: Money): Promise<Played> => playSession(bench, { project, tap, ...instances }, quick ? scaled(money) : money);
    const { started, played, ended, consumed, frames: count } = await play({ frames: framesOfSession, settleEveryDOFs: 1_000, holdDOFs: 5_000 });
    const coarser = quick ? [] : [await play({ frames: framesOfSession, settleEveryDOFs: 2_000, holdDOFs: 10_000 })];
    const naiveCount = quick ? 2 : 100;
    const naive = billedIn(await playNaively(world, await world.project(), naiveCount)) / naiveCount;
    const whole = wholeOf({ started, played, ended });
    return {
      goals: [{ what: 'billed operations per 1,000 frames, start and end included', limit: 80, unit: '', ...exactly(billedIn(whole)), shortfall }],
      beside: [
        ...coarser.map((parts) => ({ what: 'the same with settleEveryDOFs 2,000 and holdDOFs 10,000 in config/server', value: billedIn(wholeOf(parts)), unit: '' })),
        { what: 'naive, per 1,000 frames', value: naive * framesOfSession, unit: '' },
        ...described('start', started), ...described(`${count} frames`, played), ...described('end', ended),
        { what: 'DOFs per frame', value: consumed / count, unit: '' },
        { what: 'the same per 1,000 DOFs', value: Math.round((billedIn(whole) / consumed) * 1_000), unit: '' },
      ],
      counts: {
        ...countsOf('session', plus(started, ended)), ...countsOf('played', played), playedFrames: count, naiveOperationsPerFrame: naive,
      },
    };
  },
};
