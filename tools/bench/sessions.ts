import { exactly, type Benchmark, type Figure, type Goal } from './benchmark.ts';
import { interleave, ratio, summary, timed, type Rounds, type Sample } from './method.ts';
import { queriedIn, readsIn, type Operations } from './taps/operations.ts';
import { call, frames, open, sendFrame } from './world/calls.ts';
import { cloneSessions, templateOf } from './world/clones.ts';
import type { World } from './world/world.ts';

/** A project with so many open sessions, and what is measured there. */
interface Level {
  sessions: number;
  start: Sample;
  frame: Sample;
}

async function levelOf(world: World, sessions: number): Promise<Level> {
  world.say(`${sessions} open sessions are written`);
  const project = await world.project(`demo-jiga-${sessions}`);
  const { startSession, processFrame, endSession } = await world.instances(['startSession', 'processFrame', 'endSession'], { project });
  const players = await project.players(2);
  const session = await open(startSession, players[0]!);
  await cloneSessions(project, await templateOf(project, session), sessions - 1);
  return {
    sessions,
    start: async () => {
      let sessionId = '';
      const ms = await timed(async () => { ({ sessionId } = await open(startSession, players[1]!)); });
      await call(endSession, players[1]!, { sessionId });
      return ms;
    },
    frame: (index) => timed(() => sendFrame(processFrame, session, { frameData: frames[index % frames.length] })),
  };
}

/** P7: whether calls become slower as sessions become more. */
export const manySessions: Benchmark = {
  id: 'P7',
  title: 'Calls among many open sessions',
  how: 'Three projects on the same emulators with 10, 1,000 and 10,000 open sessions: documents of user, agent and session in Firestore, and live state, meter and context in the Realtime Database, copied from a session that was really started. Instances of each project are measured in turn. A started session is ended again before the next one, which is not measured.',
  async run({ world, plan, quick, signal }) {
    const counts = quick ? [5, 10, 20] : [10, 1_000, 10_000];
    const levels = await Promise.all(counts.map((count) => levelOf(world, count)));
    const sides = Object.fromEntries(levels.flatMap(({ sessions, start, frame }) => [[`start ${sessions}`, start], [`frame ${sessions}`, frame]])) as Record<string, Sample>;
    const results: Record<string, Rounds> = await interleave(sides, plan, signal);
    const [few, some, most] = counts as [number, number, number];
    const goal = (what: string, side: string): Goal => ({ what: `${what} p50 at ${most.toLocaleString('en')} open sessions / at ${few}`, limit: 1.2, unit: '×', ...ratio(results[`${side} ${most}`]!, results[`${side} ${few}`]!) });
    const middle = (what: string, side: string): Figure => ({ what: `${what} p50 at ${some.toLocaleString('en')} / at ${few}`, unit: '×', ...ratio(results[`${side} ${some}`]!, results[`${side} ${few}`]!) });
    return {
      goals: [goal('processFrame', 'frame'), goal('startSession', 'start')],
      beside: [
        middle('processFrame', 'frame'), middle('startSession', 'start'),
        ...counts.flatMap((count): Figure[] => [
          { what: `processFrame, p50, ${count.toLocaleString('en')} sessions`, unit: ' ms', ...summary(results[`frame ${count}`]!) },
          { what: `startSession, p50, ${count.toLocaleString('en')} sessions`, unit: ' ms', ...summary(results[`start ${count}`]!) },
        ]),
      ],
    };
  },
};

/** P8: what pruning reads. */
export const pruning: Benchmark = {
  id: 'P8',
  title: 'Documents read per expired session when pruning',
  how: 'In a project of its own, 90 sessions whose time is over stand among 1,000 open ones. An instance of `sweep` runs once; its Firestore is the counting server of P2. Counted are the session documents that its queries deliver, per session that it ends. What ending a session reads and writes (the session and its owner, then the settlement) and what the sweep does besides (balances, outbox, audit) stand beside it.',
  async run({ world, quick }) {
    const project = await world.project('demo-jiga-prune');
    const tap = await world.tapFirestore();
    const openOnes = quick ? 50 : 1_000;
    // Less than one batch of the sweep, so that it looks once.
    const expired = quick ? 10 : 90;
    const [startSession, sweeping] = await Promise.all([world.instance({ target: 'startSession', project }), world.instance({ target: 'sweep', project, firestore: tap })]);
    const [player] = await project.players(1);
    const template = await templateOf(project, await open(startSession, player!));
    const sweepOnce = async (): Promise<Operations> => {
      tap.take();
      const answer = await fetch(sweeping.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      if (!answer.ok) throw new Error(`sweep answered ${answer.status}`);
      return tap.take();
    };
    await cloneSessions(project, template, openOnes - 1);
    const countEnded = async (): Promise<number> => (await project.firestore.collection('sessions').where('status', '==', 'ended').count().get()).data().count;
    const idle = await sweepOnce();
    // A suite that began with data has it in every project.
    const before = await countEnded();
    await cloneSessions(project, template, expired, Date.now() - 60_000);
    const swept = await sweepOnce();
    const ended = await countEnded() - before;
    if (ended !== expired) throw new Error(`${ended} sessions were ended, not ${expired}`);
    const sessions = (swept.queried['sessions'] ?? 0) - (idle.queried['sessions'] ?? 0);
    const each = (count: number): number => Math.round((count / ended) * 100) / 100;
    return {
      goals: [{ what: 'session documents that the queries deliver, per expired session', limit: 1.1, unit: '', ...exactly(each(sessions)) }],
      beside: [
        { what: 'documents read by name while ending and settling, per session', value: each(swept.gets - idle.gets), unit: '' },
        { what: 'documents written while ending and settling, per session', value: each(swept.writes - idle.writes), unit: '' },
        { what: 'all documents that its queries delivered, per session', value: each(queriedIn(swept) - queriedIn(idle)), unit: '' },
        { what: 'a sweep with nothing to do: documents read, its audit of 25 agents included', value: readsIn(idle), unit: '' },
        { what: 'a sweep with nothing to do: queries that deliver nothing (billed as one read each)', value: idle.emptyQueries, unit: '' },
        { what: 'a scan of all open sessions would read, per expired session', value: each(openOnes + ended), unit: '' },
      ],
      counts: { idleSweepReads: readsIn(idle), idleSweepWrites: idle.writes },
    };
  },
};
