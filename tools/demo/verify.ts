import type { Play, ReceivedEvent } from './facts.ts';
import type { Balance, Records } from './records.ts';

/** Two figures that have to be the same. */
export interface Check {
  name: string;
  ok: boolean;
  expected: number | string;
  actual: number | string;
}

/** Everything a demo run can be judged by. */
export interface Evidence {
  play: Play;
  before: Balance;
  records: Records;
  events: ReceivedEvent[];
  /** Who had to answer. */
  provider: string;
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const compare = (name: string, expected: number | string, actual: number | string): Check => ({ name, ok: expected === actual, expected, actual });

/** Recomputes every sum from the raw documents and from what the client was told. */
export function verify(evidence: Evidence): Check[] {
  return [...checkMoney(evidence), ...checkSession(evidence), ...checkListener(evidence), ...checkEvents(evidence)];
}

function checkMoney({ play, before, records: { balance, lots, hold, ledger, session } }: Evidence): Check[] {
  const ownEntries = ledger.filter((entry) => entry.sessionId === play.session.sessionId);
  return [
    compare('ledger adds up to the balance', balance.currentDOFs, sum(ledger.map(({ amount }) => amount))),
    compare('lots less debt add up to the balance', balance.currentDOFs, sum(lots.map(({ remaining }) => remaining)) - balance.debtDOFs),
    compare('balance fell by what was settled', session.settledDOFs, before.currentDOFs - balance.currentDOFs),
    compare('ledger of this session adds up to what was settled', session.settledDOFs, -sum(ownEntries.map(({ amount }) => amount))),
    compare('all that was consumed is settled', session.consumedDOFs, session.settledDOFs),
    compare('nothing is held that was not held before', before.heldDOFs, balance.heldDOFs),
    compare('hold is resolved with what was settled', `posted ${session.settledDOFs}, holding 0`, `${hold ? `${hold.state} ${hold.postedDOFs}` : 'pending'}, holding ${session.heldDOFs}`),
    compare('player is shown the balance', balance.currentDOFs, play.balanceAfter),
  ];
}

function checkSession({ play: { turns, ended }, records: { session }, provider }: Evidence): Check[] {
  return [
    compare('prices told to the client add up to the session', session.consumedDOFs, sum(turns.map(({ costDOFs }) => costDOFs))),
    compare('endSession answered the total', session.consumedDOFs, ended.consumedDOFs),
    compare('session ended as asked and is settled', 'ended, user, done', [session.status, session.closeReason, session.settlement].join(', ')),
    compare('every reply is of the provider', provider, [...new Set(turns.map((turn) => turn.provider))].join(', ')),
  ];
}

function checkListener({ play: { turns, heard }, records: { session } }: Evidence): Check[] {
  const steps = heard.meter.slice(1).map((meter, index) => ({ meter, earlier: heard.meter[index]! }));
  const rises = steps.filter(({ meter, earlier }) => meter.consumed < earlier.consumed || meter.remaining > earlier.remaining).length;
  return [
    compare('listener heard the session\'s total', session.consumedDOFs, heard.meter.at(-1)?.consumed ?? 'nothing'),
    compare('listener heard the end', `${session.status}, ${session.closeReason}`, `${heard.status}, ${heard.closeReason}`),
    compare('meter only fell', 0, rises),
    compare('listener heard every reply word for word', turns.length, turns.filter(({ turnId, reply }) => (heard.replies[turnId] ?? '') === reply).length),
  ];
}

function checkEvents({ records: { outbox }, events }: Evidence): Check[] {
  const arrived = [...new Set(events.map(({ id }) => id))];
  const types = ['session.started', 'session.ended', 'session.settled'];
  return [
    compare('every event of the outbox arrived', outbox.length, count(outbox.length, 'missing', outbox.filter((id) => !arrived.includes(id)))),
    compare('every event that arrived is in the outbox', arrived.length, count(arrived.length, 'unknown', arrived.filter((id) => !outbox.includes(id)))),
    compare('start, end and settlement were announced', types.length, count(types.length, 'missing', types.filter((type) => !events.some((event) => event.type === type)))),
  ];
}

/** How many of all are as they should be, and the names of those that are not. */
function count(all: number, problem: string, ids: string[]): number | string {
  return ids.length === 0 ? all : `${all - ids.length}, ${problem} ${ids.join(', ')}`;
}

/** How many arrivals were repeats of an event that had arrived; Pub/Sub promises at least once, so they are allowed. */
export function countRepeats(events: ReceivedEvent[]): number {
  return events.length - new Set(events.map(({ id }) => id)).size;
}
