import type { Report } from '../benchmark.ts';
import { rounded, table } from '../report.ts';
import { limits, prices, type Fact } from './facts.ts';
import { firestoreCost, perFrame, scale, type Assumptions, type Measured, type Scale } from './model.ts';

/** What the page is computed for. `concurrency`, memory and `maxInstances` are those of processFrame. */
export const assumptions: Assumptions = {
  framesPerSecond: 0.2, framesPerSession: 1_000, watchers: 1.25, turnSeconds: 2, concurrency: 20, utilisation: 0.6, memoryGiB: 1, maxInstances: 100, eventBytes: 1_000,
};

const levels = [10_000, 100_000, 1_000_000];

/** What the model needs, from the counts of a run; null when the run lacks some. */
export function measuredIn(reports: readonly Report[]): Measured | null {
  const counts = Object.assign({}, ...reports.map((report) => report.counts ?? {})) as Record<string, number | undefined>;
  const missing = new Set<string>();
  const count = (name: string): number => {
    const value = counts[name];
    if (value === undefined) missing.add(name);
    return value ?? NaN;
  };
  const frames = count('playedFrames');
  // The naive side reads as much as it writes.
  const half = count('naiveOperationsPerFrame') / 2;
  const measured: Measured = {
    session: { reads: count('sessionReads'), writes: count('sessionWrites'), deletes: count('sessionDeletes') },
    frame: { reads: count('playedReads') / frames, writes: count('playedWrites') / frames, deletes: count('playedDeletes') / frames },
    naiveFrame: { reads: half, writes: half, deletes: 0 },
    database: {
      memberBytes: count('memberDownBytesPerFrame'), memberMessages: count('memberMessagesPerFrame'),
      functionBytes: count('functionDownBytesPerFrame'), functionMessages: count('functionMessagesPerFrame'), functionRequests: count('functionRequestsPerFrame'),
    },
    idleSweepReads: count('idleSweepReads'),
  };
  return missing.size === 0 ? measured : null;
}

const dollars = (value: number): string => `${rounded(value)} USD`;

function needs(scales: Scale[], { maxInstances }: Assumptions): string[] {
  const row = (what: string, value: (scale: Scale) => string): string[] => [what, ...scales.map(value)];
  return table(['at once', ...scales.map(({ sessions }) => `${rounded(sessions)} sessions`)], [
    row('frames per second', ({ framesPerSecond }) => rounded(framesPerSecond)),
    row('Firestore operations per second', ({ firestore }) => rounded(firestore.operationsPerSecond)),
    row('of these writes', ({ firestore }) => rounded(firestore.writesPerSecond)),
    row('Realtime Database connections', ({ database }) => rounded(database.connections)),
    row('Realtime Database responses per second', ({ database }) => rounded(Math.round(database.responsesPerSecond))),
    row('Realtime Database requests per second', ({ database }) => rounded(Math.round(database.requestsPerSecond))),
    row('**Realtime Databases** (`LIVE_DATABASE_URLS`)', ({ database }) => `**${rounded(database.databases)}**`),
    row(`**instances of processFrame** (\`maxInstances\` is ${maxInstances})`, ({ instances }) => `**${rounded(instances)}**`),
  ]);
}

function costs(scales: Scale[]): string[] {
  const row = (what: string, value: (scale: Scale) => number): string[] => [what, ...scales.map((scale) => dollars(value(scale)))];
  return table(['USD per month', ...scales.map(({ sessions }) => `${rounded(sessions)} sessions`)], [
    row('Firestore operations', ({ monthly }) => monthly.firestore),
    row('Realtime Database downloads', ({ monthly }) => monthly.database),
    row('instances of processFrame', ({ monthly }) => monthly.instances),
    row('requests', ({ monthly }) => monthly.requests),
    row('Pub/Sub', ({ monthly }) => monthly.events),
    row('**together**', ({ monthly }) => monthly.total),
    row('beside: Firestore operations of the naive side, which shows nothing live', ({ naiveFirestoreMonthly }) => naiveFirestoreMonthly),
  ]);
}

function thousandFrames(measured: Measured, assumed: Assumptions): string[] {
  const each = perFrame(measured, assumed);
  const { database } = measured;
  const gigabytes = (bytes: number): number => (bytes * 1_000 * prices.databaseDownload.value) / 1e9;
  return table(['1,000 frames', 'USD'], [
    ['Firestore operations', firestoreCost({ reads: each.reads * 1_000, writes: each.writes * 1_000, deletes: each.deletes * 1_000 }).toFixed(5)],
    [`Realtime Database, downloaded by ${assumed.watchers} watchers`, gigabytes(database.memberBytes * assumed.watchers).toFixed(5)],
    ['Realtime Database, downloaded by processFrame', gigabytes(database.functionBytes).toFixed(5)],
    ['instances', ((1_000 * assumed.turnSeconds * (prices.cpuSecond.value + prices.memorySecond.value * assumed.memoryGiB)) / (assumed.concurrency * assumed.utilisation)).toFixed(5)],
    ['requests', ((1_000 * prices.requests.value) / 1e6).toFixed(5)],
    ['beside: Firestore operations of the naive side', firestoreCost({ reads: measured.naiveFrame.reads * 1_000, writes: measured.naiveFrame.writes * 1_000, deletes: 0 }).toFixed(5)],
  ]);
}

function shards(scales: Scale[], { maxInstances, concurrency, turnSeconds, framesPerSecond, utilisation }: Assumptions, { database, frame }: Measured): string[] {
  const sessionsPerDatabase = limits.databaseWrites.value / (framesPerSecond * database.functionRequests);
  const sessionsPerInstances = (most: number): string => rounded(Math.floor((most * concurrency * utilisation) / (framesPerSecond * turnSeconds)));
  return [
    `- **Realtime Database first**, at about ${rounded(Math.floor(sessionsPerDatabase))} sessions per database if the limit of ${rounded(limits.databaseWrites.value)} writes per second is taken by the letter: a frame makes ${rounded(database.functionRequests)} requests. Everything of a session lies under its id, so \`LIVE_DATABASE_URLS\` spreads sessions over databases by the hash of the id, without any other change; a project may have as many as needed, and the list may be changed while no session is open.`,
    `- **Instances next**: ${maxInstances} (\`maxInstances\` in \`runtime/options.ts\`, so that a flood costs a bounded amount) serve about ${sessionsPerInstances(maxInstances)} sessions, ${rounded(limits.instances.value)} about ${sessionsPerInstances(limits.instances.value)}. Beyond that the quota is raised, or the functions are deployed in several regions; what they share are the databases.`,
    `- **Firestore last**: no document is written by more than one session and its owner. One agent's balance takes ${(framesPerSecond * frame.writes).toFixed(4)} writes per second of its session spread over five documents, against a guidance of ${limits.documentWrites.value} for each. Ids are random, so no index grows at its end, except those on time (\`startedAt\`, \`createdAt\` of the outbox): at ${rounded(scales.at(-1)!.firestore.writesPerSecond)} writes per second these are what to watch, and to exempt or prefix with a shard. New traffic is to grow by the ramp below.`,
    '- **The sweep** reads only what is due, in batches of 100, one instance: sessions that end as they should cost it nothing. It audits 25 agents a minute, whatever their number.',
    `- **Pub/Sub** orders by session or agent: an ordering key gets a few events a minute, against ${limits.orderingKey.value} MB per second.`,
  ];
}

function factRows(facts: Record<string, Fact>): string[][] {
  return Object.values(facts).map(({ what, value, unit, source, known }) => [what, `${value}${unit}`, source, known]);
}

/** The page on cost and limits. */
export function scalingPage(measured: Measured, assumed: Assumptions = assumptions): string {
  const scales = levels.map((sessions) => scale(sessions, measured, assumed));
  const { framesPerSecond, framesPerSession, watchers, turnSeconds, concurrency, utilisation } = assumed;
  return [
    '# Cost and limits at scale', '',
    'Written by `npm run bench` from the counts of its run (`docs/benchmarks.json`) and by `npm run docs`; do not edit. The model is `tools/bench/scaling`.', '',
    `**Assumed**: sessions send a frame every ${rounded(1 / framesPerSecond)} s, ${rounded(framesPerSession)} frames in all, ${watchers} people watch each, a turn takes ${turnSeconds} s, an instance is given ${concurrency} turns at once and has ${Math.round(utilisation * 100)} % of these places taken. So many sessions are open day and night, which makes the costs upper bounds. Not part of it: what the models cost, data that leaves Google's network, storage, and free allowances.`, '',
    `**Measured**: ${rounded((measured.frame.reads + measured.frame.writes + measured.frame.deletes) * 1_000)} Firestore operations for 1,000 frames and ${rounded(measured.session.reads + measured.session.writes + measured.session.deletes)} for a session's start and end (P4); ${rounded(Math.round(measured.database.memberBytes))} bytes in ${rounded(measured.database.memberMessages)} messages to each watcher, and ${rounded(Math.round(measured.database.functionBytes))} bytes to processFrame, per frame (P11).`,
    '', '## What is needed', '', ...needs(scales, assumed),
    '', '## What shards when', '', ...shards(scales, assumed, measured),
    '', '## What it costs', '', ...costs(scales), '', ...thousandFrames(measured, assumed),
    '', 'The bytes of the Realtime Database are what costs, not operations: what processFrame itself downloads (the answers to its own transactions, and what its two listeners hear of them) more than what is shown to people. Less of that, see P11, is what would make a frame cheaper.',
    '', '## Prices and limits', '', ...table(['', 'value', 'source', 'how it is known'], [...factRows(prices), ...factRows(limits)]), '',
  ].join('\n');
}
