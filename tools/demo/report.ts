import { PROJECT_ID } from '../paths.ts';
import type { Play, ReceivedEvent } from './facts.ts';
import { label } from './narrator.ts';
import type { Balance, Records } from './records.ts';
import { formatMs, formatNumber, percentile } from './text.ts';
import { countRepeats, type Check } from './verify.ts';

/** All that a finished run is reported from. */
export interface Result {
  play: Play;
  before: Balance;
  records: Records;
  events: ReceivedEvent[];
  checks: Check[];
  suite: { startMs: number; description: string; logFile: string; functionsUrl: string };
  totalMs: number;
}

/** Timings in milliseconds, for both forms of the report. */
function timings({ play: { turns, timings: steps }, events, suite, totalMs }: Result): Record<string, number> {
  const all = turns.map(({ ms }) => ms);
  const firstWords = turns.flatMap(({ firstWordsMs }) => firstWordsMs ?? []);
  const lags = events.map(({ lagMs }) => lagMs);
  return {
    suiteStartMs: suite.startMs,
    ...steps,
    processFrameP50Ms: percentile(all, 0.5),
    processFrameP95Ms: percentile(all, 0.95),
    firstWordsP50Ms: percentile(firstWords, 0.5),
    eventLagP50Ms: percentile(lags, 0.5),
    eventLagMaxMs: percentile(lags, 1),
    totalMs,
  };
}

function paths({ play: { player, agent, session }, suite }: Result): Record<string, string> {
  const agentPath = `users/${player.uid}/agents/${agent.agentInstanceId}`;
  return {
    processFrame: `${suite.functionsUrl}/${PROJECT_ID}/us-central1/processFrame`,
    live: session.livePath,
    streams: session.streamsPath,
    session: `sessions/${session.sessionId}`,
    agent: agentPath,
    ledger: `${agentPath}/ledger`,
    log: suite.logFile,
  };
}

/** Whether every sum agrees. */
export const isSound = ({ checks }: Pick<Result, 'checks'>): boolean => checks.every(({ ok }) => ok);

/** The facts as one JSON object. */
export function reportJson(result: Result): string {
  const { play, before, records, events, checks, suite } = result;
  const { player, agents, agent, session, turns, heard, ended } = play;
  return JSON.stringify({
    ok: isSound(result), checks, player, agents, agent, session, turns,
    listener: { updates: heard.updates, meter: heard.meter, status: heard.status, closeReason: heard.closeReason },
    ended, balance: { before, after: records.balance }, ledger: records.ledger, outbox: records.outbox, events, repeatedEvents: countRepeats(events),
    timings: timings(result), paths: paths(result), emulators: suite.description,
  }, null, 2);
}

/** The facts for people, line by line. */
export function reportLines(result: Result): string[] {
  return [...endLines(result), '', ...ledgerLines(result), '', ...eventLines(result), '', ...timingLines(result), '', ...pathLines(result), '', ...checkLines(result)];
}

function endLines({ play: { turns, heard, timings: steps }, before, records: { balance, hold, session } }: Result): string[] {
  const frames = turns.filter(({ kind }) => kind === 'frame').length;
  return [
    `${label('ended')}after ${frames} frames and ${turns.length - frames} instructions; settled ${formatMs(steps.settleLagMs)} later; the live listener heard ${heard.updates} updates`,
    `${label('balance')}${formatNumber(before.currentDOFs)} before, ${formatNumber(balance.currentDOFs)} after: ${formatNumber(session.settledDOFs)} DOFs consumed and settled, ${formatNumber(hold?.releasedDOFs ?? 0)} released, ${formatNumber(balance.heldDOFs)} held`,
  ];
}

const signed = (amount: number): string => `${amount > 0 ? '+' : ''}${formatNumber(amount)}`;

function ledgerLines({ play, records: { ledger } }: Result): string[] {
  const width = Math.max(...ledger.map(({ entryId }) => entryId.length));
  return ledger.map(({ entryId, amount, balanceAfter, sessionId, lots, debt }, index) => {
    const from = [...lots.map((lot) => `${lot.grantId} ${signed(lot.amount)}`), ...(debt === 0 ? [] : [`debt ${signed(debt)}`])].join(', ');
    const mark = sessionId === play.session.sessionId ? '*' : ' ';
    return `${label(index === 0 ? 'ledger' : '')}${entryId.padEnd(width)} ${mark}${signed(amount).padStart(8)} = ${formatNumber(balanceAfter).padStart(7)}  ${from}`.trimEnd();
  });
}

function eventLines({ play, events }: Result): string[] {
  const rows = events.map(({ id, type, sequence, topic, lagMs }) => `${String(sequence).padStart(2)}  ${type.padEnd(19)}${topic.padEnd(20)}${formatMs(lagMs).padStart(7)}  ${id}`);
  const repeats = countRepeats(events);
  if (repeats > 0) rows.push(`${repeats} of them repeat an event, which Pub/Sub may do`);
  const head = `through Pub/Sub, about subject ${play.session.sessionId} (sequence, type, topic, lag, id)`;
  return [head, ...(rows.length > 0 ? rows : ['none'])].map((row, index) => label(index === 0 ? 'events' : '') + row);
}

function timingLines(result: Result): string[] {
  const all = timings(result);
  const ms = (name: string) => formatMs(all[name] ?? NaN);
  return [
    `${label('timings')}emulators ${ms('suiteStartMs')}, sign-in ${ms('signInMs')}, startSession ${ms('startSessionMs')}, endSession ${ms('endSessionMs')}, settled ${ms('settleLagMs')} after the end`,
    `${label('')}processFrame p50 ${ms('processFrameP50Ms')}, p95 ${ms('processFrameP95Ms')}, first words p50 ${ms('firstWordsP50Ms')}; events p50 ${ms('eventLagP50Ms')}, slowest ${ms('eventLagMaxMs')}; all ${ms('totalMs')}`,
  ];
}

function pathLines(result: Result): string[] {
  const { processFrame, live, streams, session, ledger, log } = paths(result);
  return [
    `${label('where')}called     ${processFrame}`,
    `${label('')}Realtime   ${live}, ${streams}`,
    `${label('')}Firestore  ${session}, ${ledger}`,
    `${label('')}log        ${log}`,
  ];
}

function checkLines({ checks }: Result): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const rows = checks.map(({ name, ok, expected, actual }) => {
    const figure = (value: number | string) => (typeof value === 'number' ? formatNumber(value) : value);
    return `${label(ok ? 'ok' : 'WRONG')}${name.padEnd(width)}  ${figure(actual)}${ok ? '' : `, expected ${figure(expected)}`}`;
  });
  const wrong = checks.filter(({ ok }) => !ok).length;
  return [...rows, '', wrong === 0 ? `All ${checks.length} sums agree.` : `${wrong} of ${checks.length} sums do not agree.`];
}
