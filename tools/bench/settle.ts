import type { CheckpointDoc, UsageLine } from '../../functions/src/credits/schema.ts';
import { toCheckpoint } from '../../functions/src/credits/store-settle.ts';
import type { SessionDoc } from '../../functions/src/sessions/schema.ts';
import { exactly, type Bench, type Benchmark } from './benchmark.ts';
import { interleave, median, p95, ratio, samplesOf, spread, summary, timed } from './method.ts';
import { call, open, sendFrame, until, within } from './world/calls.ts';
import type { Project } from './world/project.ts';
import { noTrigger } from './world/world.ts';

/** A session whose checkpoints a benchmark writes itself, as its meter would. */
interface SettledSession {
  /** Turns of one settlement, as real frames left them. */
  lines: UsageLine[];
  /** Writes the next checkpoint; answers when the settlement of the one before has been committed: ms since the epoch. */
  settle: () => Promise<{ writtenAt: number; doneAt: number }>;
  /** Writes a document of the same size whose trigger does nothing; the same of that. */
  nothing: () => Promise<{ writtenAt: number; doneAt: number }>;
  project: Project;
}

/** Plays frames until a checkpoint is written, and goes on from there without frames. */
async function settledSession({ world, plan, quick, signal }: Bench): Promise<SettledSession> {
  const project = await world.project(world.eventProject);
  const { events } = await world.base();
  const step = 1_200;
  const settlements = samplesOf(plan) + 2;
  await project.configure((server) => ({ ...server, ...(quick ? { settleEveryDOFs: 50 } : {}), limits: { ...server.limits, holdDOFs: step * settlements, maxDOFsPerSession: step * settlements } }));
  const { startSession, processFrame } = await world.instances(['startSession', 'processFrame'], { project });
  const [settleCheckpoint, naiveTrigger] = await Promise.all([world.instance({ target: 'settleCheckpoint', signature: 'cloudevent', project }), world.instance({ target: noTrigger, signature: 'cloudevent', baseline: 'naive', project })]);
  const [player] = await project.players(1, 2 * step * settlements);
  const session = await open(startSession, player!);
  await project.configure((server) => server);
  const { sessionId } = session;
  const ref = project.firestore.doc(`sessions/${sessionId}`);
  let checkpoints: CheckpointDoc[] = [];
  await until(async () => {
    await sendFrame(processFrame, session);
    checkpoints = (await ref.collection('checkpoints').get()).docs.map((doc) => doc.data() as CheckpointDoc);
    return checkpoints.length > 0;
  }, 'a checkpoint', signal, 120_000);
  const { total: each, lines } = checkpoints[0]!;
  const doc = (await ref.get()).data() as SessionDoc;
  events.route({ settleCheckpoint, [noTrigger]: naiveTrigger });
  const waiting = new Map<string, (doneAt: number) => void>();
  events.listen(({ document, doneAt }) => waiting.get(document)?.(doneAt));
  // The first is there already.
  let count = 1;
  const written = async (path: string, data: object): Promise<{ writtenAt: number; doneAt: number }> => {
    const done = new Promise<number>((resolve) => { waiting.set(path, resolve); });
    const { writeTime } = await project.firestore.doc(path).set(data);
    const doneAt = await within(done, `the event of ${path}`);
    waiting.delete(path);
    return { writtenAt: writeTime.toMillis(), doneAt };
  };
  const next = (): object => toCheckpoint(doc, each * ++count, lines, false);
  return {
    lines,
    project,
    settle: () => {
      const data = next();
      return written(`sessions/${sessionId}/checkpoints/${each * count}`, data);
    },
    nothing: () => {
      const data = next();
      return written(`naive/${sessionId}-${each * count}`, data);
    },
  };
}

/** Frames per second over HTTP, of sessions side by side, until everything is settled. */
async function throughput({ world, quick, signal }: Bench): Promise<number> {
  const project = await world.project();
  const { startSession, processFrame, endSession } = await world.instances(['startSession', 'processFrame', 'endSession']);
  const players = await project.players(8);
  const sessions = await Promise.all(players.map((player) => open(startSession, player)));
  const frames = quick ? 2 : 50;
  const ms = await timed(() => Promise.all(sessions.map(async (session) => {
    for (let count = 0; count < frames; count++) {
      signal.throwIfAborted();
      await sendFrame(processFrame, session);
    }
    const { settlement } = await call(endSession, session.player, { sessionId: session.sessionId });
    if (settlement !== 'done') throw new Error('a session ended without being settled');
  })));
  return (sessions.length * frames) / (ms / 1_000);
}

const rateShortfall = 'A settlement is an event, a read and a commit of four documents, a raw commit is one of one document; the frames of a checkpoint make up for that. Twice as many (`settleEveryDOFs: 2000`) double the rate.';

/** P5: how many frames one balance can take per second. */
export const settleRate: Benchmark = {
  id: 'P5',
  title: 'Frames settled per second beside raw commits',
  how: 'What one balance can take: one document accepts one commit after the other, so a backend that charges every frame there is as slow as those. Here a settlement charges all frames since the last. Measured in turn: a checkpoint with the turns that real frames left behind is written, its event delivered and `settleCheckpoint` has committed, one after the other; and bare `update` commits on one document. Frames settled per second are settlements per second times the frames in a checkpoint (`bench-rookie`, 1,000 DOFs).',
  async run(bench) {
    const session = await settledSession(bench);
    const counter = session.project.firestore.doc('bench/counter');
    await counter.set({ count: 0 });
    const sides = await interleave({
      settle: () => timed(session.settle),
      raw: (index) => timed(() => counter.update({ count: index })),
    }, bench.plan, bench.signal);
    const frames = session.lines.length;
    const perSecond = (rounds: number[][], each: number): ReturnType<typeof spread> => spread(rounds.map((round) => (each * 1_000) / median(round)));
    return {
      goals: [{ what: 'frames settled per second / raw single-document commits per second', limit: 10, atLeast: true, unit: '×', shortfall: rateShortfall, ...spread(sides.raw.map((round, index) => (frames * median(round)) / median(sides.settle[index]!))) }],
      beside: [
        { what: 'frames in a checkpoint', value: frames, unit: '' },
        { what: 'frames settled per second, one balance', unit: '/s', ...perSecond(sides.settle, frames) },
        { what: 'raw commits per second, one document', unit: '/s', ...perSecond(sides.raw, 1) },
        { what: 'frames per second over HTTP through one instance of processFrame, 8 sessions, until settled (bound by this machine, which also runs databases, model and callers)', unit: '/s', ...exactly(await throughput(bench)) },
      ],
    };
  },
};

const lagShortfall = 'Events reach an instance here within about 10 ms of the commit, so the trigger that does nothing is over soon after. A settlement then waits for two round trips to the emulator, one that reads session and agent and one commit of four documents (session, agent, ledger entry, event), and those alone are longer than the whole lag beside it (see the profile): even if its own code took no time, the medians would differ by a factor of two. The commit cannot be left out, and neither can the read, since the commit must fail when anything has changed since. An instance could keep what it wrote last and let the commit find out whether that still holds; that would save a quarter of its time where the same instance settles the session again, cost a commit in vain where it does not, and still not be enough. Deployed, the event itself takes longer, on both sides alike, and the ratio falls with that.';

/** P6: how long a settlement takes to arrive. */
export const settleLag: Benchmark = {
  id: 'P6',
  title: 'Settle lag beside a trigger that does nothing',
  how: 'From the time of a commit, as Firestore gives it, until the function that its event starts has answered: `settleCheckpoint` for a checkpoint, and `naiveTrigger`, whose body is empty, for a document of the same size. Events go from the emulator to one instance each, without the functions emulator.',
  async run(bench) {
    const session = await settledSession(bench);
    const lag = (act: () => Promise<{ writtenAt: number; doneAt: number }>) => async (): Promise<number> => {
      const { writtenAt, doneAt } = await act();
      return doneAt - writtenAt;
    };
    const sides = await interleave({ settle: lag(session.settle), nothing: lag(session.nothing) }, bench.plan, bench.signal);
    return {
      goals: [{ what: 'settle lag p95 / no-op trigger lag p95', limit: 1.5, unit: '×', ...ratio(sides.settle, sides.nothing, p95), shortfall: lagShortfall }],
      beside: [
        { what: 'settle lag, p95', unit: ' ms', ...summary(sides.settle, p95) },
        { what: 'no-op trigger lag, p95', unit: ' ms', ...summary(sides.nothing, p95) },
        { what: 'settle lag, p50', unit: ' ms', ...summary(sides.settle) },
        { what: 'no-op trigger lag, p50', unit: ' ms', ...summary(sides.nothing) },
      ],
    };
  },
};
