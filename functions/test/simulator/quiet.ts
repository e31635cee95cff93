import type { AgentDoc } from '../../src/agents/schema.ts';
import type { CheckpointDoc, LedgerDoc, UsageLine } from '../../src/credits/schema.ts';
import type { Meter } from '../../src/live/meter.ts';
import type { SessionDoc } from '../../src/sessions/schema.ts';
import { broken, same, sorted } from './broken.ts';
import type { Told } from './client.ts';
import { playersAsTold, playersOf } from './membership.ts';
import type { World } from './world.ts';

/** What must hold once nothing is under way and the sweep has run: nothing lost, nothing double. */
export function checkQuiet(world: World, told: Told): void {
  const documents = Object.entries(world.firestore.dump());
  const of = <T>(pattern: RegExp): [string, T][] => documents.filter(([path]) => pattern.test(path)).map(([path, data]) => [path, data as T]);
  const sessions = of<SessionDoc>(/^sessions\/[^/]+$/);
  const checkpoints = Map.groupBy(of<CheckpointDoc>(/^sessions\/[^/]+\/checkpoints\//), ([, { sessionId }]) => sessionId);
  const turns = Map.groupBy(told.turns, ([key]) => key.split('/')[0]!);
  for (const [path, session] of sessions) {
    if (session.status !== 'ended' || session.settlement !== 'done') broken('quiet', `${path} is ${session.status}, ${session.settlement}`);
    checkReceipt(path, session, (checkpoints.get(session.sessionId) ?? []).flatMap(([, { lines }]) => lines), turns.get(session.sessionId) ?? []);
  }
  const settled = new Set(sessions.filter(([, { settlement }]) => settlement === 'done').map(([, { sessionId }]) => sessionId));
  for (const [path, agent] of of<AgentDoc>(/^users\/[^/]+\/agents\/[^/]+$/)) checkAgent(path, agent, settled, world.scheduler.now);
  checkMoney(of<LedgerDoc>(/\/ledger\//), told);
  const unpublished = of<{ published: boolean }>(/^outbox\//).filter(([, { published }]) => !published);
  if (unpublished.length > 0) broken('I8', `never published: ${unpublished.map(([path]) => path).join()}`);
}

/** I10, and that nothing that has expired is still there. */
function checkAgent(path: string, { holds, lots }: AgentDoc, settled: Set<string>, now: number): void {
  const overdue = Object.entries(holds).filter(([, { expiresAt }]) => expiresAt.toMillis() <= now);
  if (overdue.length > 0) broken('I10', `${path} has holds past their expiry: ${overdue.map(([holdId]) => holdId).join()}`);
  const stale = Object.entries(lots).filter(([, { expiresAt, voided }]) => voided || (expiresAt && expiresAt.toMillis() <= now));
  if (stale.length > 0) broken('I1', `${path} has expired or void lots: ${stale.map(([grantId]) => grantId).join()}`);
  const unheld = Object.keys(holds).filter((holdId) => settled.has(holdId));
  if (unheld.length > 0) broken('I4', `${path} holds for sessions that are settled: ${unheld.join()}`);
}

/**
 * I9: `live/` and the meter say what a settled session says, as long as it has its live state: to be asked before the
 * sweep removes it. Answers how many sessions had one.
 */
export function checkLive(world: World): number {
  let shown = 0;
  const checkpoints = Object.entries(world.firestore.dump('sessions')).filter(([path]) => /\/checkpoints\//.test(path)).map(([, data]) => data as CheckpointDoc);
  const linesBySession = Map.groupBy(checkpoints, ({ sessionId }) => sessionId);
  for (const session of sessionsOf(world)) {
    const { sessionId, settlement, status, closeReason, version, consumedDOFs, members } = session;
    if (settlement !== 'done') continue;
    const live = world.node(`live/${sessionId}`) as Live | null;
    if (live) shown++;
    const found = live && [live.status, live.closeReason, live.version, live.dofs.consumed, live.dofs.remaining, live.turn.state, sorted(live.members)];
    const wanted = [status, closeReason, version, consumedDOFs, 0, 'idle', sorted(members)];
    if (live && !same(found, wanted)) broken('I9', `live/${sessionId} shows ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
    const meter = world.node(`meters/${sessionId}`) as Meter | null;
    if (meter && (meter.open || meter.turn || meter.members || meter.closeReason !== closeReason || meter.consumed !== consumedDOFs)) broken('I9', `meters/${sessionId} is ${JSON.stringify(meter)}, the session ended with ${closeReason} at ${consumedDOFs}`);
    const spent = spentIn((linesBySession.get(sessionId) ?? []).flatMap(({ lines }) => lines));
    if (meter && !same(sorted(spent), sorted(meter.spent ?? {}).filter(([, dofs]) => dofs > 0))) broken('I9', `meters/${sessionId} says that members spent ${JSON.stringify(meter.spent)}, the receipt says ${JSON.stringify(spent)}`);
  }
  return shown;
}

/** What clients see of a session. */
interface Live {
  status: string;
  closeReason: string;
  version: number;
  dofs: { consumed: number; remaining: number };
  turn: { state: string };
  members: Record<string, string>;
}

/** DOFs by member beside the owner. */
function spentIn(all: UsageLine[]): Record<string, number> {
  const spent: Record<string, number> = {};
  for (const { by, from, to } of linesOf(all)) if (by !== undefined) spent[by] = (spent[by] ?? 0) + to - from;
  return spent;
}

/** I9: `live/` and the meter of every open session know its members; to be asked once no event waits any more. Answers how many were shared. */
export function checkMembers(world: World): number {
  let shared = 0;
  for (const { sessionId, ownerId, status, members, memberCaps } of sessionsOf(world)) {
    if (status !== 'active') continue;
    const live = world.node(`live/${sessionId}`) as Live | null;
    if (!live || !same(sorted(live.members), sorted(members))) broken('I9', `live/${sessionId} shows ${JSON.stringify(live?.members)} instead of ${JSON.stringify(members)}`);
    const meter = world.node(`meters/${sessionId}`) as Meter | null;
    const players = playersOf({ ownerId, members, memberCaps });
    if (meter?.open && !same(playersAsTold(meter.members ?? {}), playersAsTold(players))) broken('I9', `meters/${sessionId} has ${JSON.stringify(meter.members)} instead of ${JSON.stringify(players)}`);
    if (Object.keys(members).length > 1) shared++;
  }
  return shared;
}

function sessionsOf(world: World): SessionDoc[] {
  return Object.entries(world.firestore.dump('sessions')).filter(([path]) => /^sessions\/[^/]+$/.test(path)).map(([, session]) => session as SessionDoc);
}

/** I5: every DOF is in one line, every turn in one line at the price that its client was told. */
function checkReceipt(path: string, { consumedDOFs, ownerId }: SessionDoc, all: UsageLine[], turns: [string, number][]): void {
  const lines = linesOf(all);
  let reached = 0;
  for (const line of lines) {
    if (line.from !== reached || line.requestId === '') broken('I5', `${path}: the line ${JSON.stringify(line)} does not follow ${reached}`);
    reached = line.to;
  }
  if (reached !== consumedDOFs) broken('I5', `${path}: its lines end at ${reached} of ${consumedDOFs}`);
  const prices = new Map(lines.map(({ requestId, by = ownerId, from, to }) => [`${requestId}/${by}`, to - from]));
  if (prices.size !== lines.length) broken('I5', `${path}: a request was charged twice`);
  for (const [key, cost] of turns) {
    const price = prices.get(key.slice(key.indexOf('/') + 1)) ?? 0;
    if (price !== cost) broken('I5', `${key} was told ${cost} DOFs, its line says ${price}`);
  }
}

/** The lines of all checkpoints of a session, each once, in order. */
function linesOf(all: UsageLine[]): UsageLine[] {
  return [...new Map(all.map((line) => [line.to, line])).values()].sort((a, b) => a.to - b.to);
}

/** I5: what an administrator was told is in the ledger. */
function checkMoney(ledger: [string, LedgerDoc][], told: Told): void {
  const entered = new Set(ledger.map(([, { operationId, amount }]) => `${operationId} ${amount}`));
  for (const [key, { amount, entryId }] of told.money) {
    if (entryId !== null && !entered.has(`${entryId} ${amount}`)) broken('I5', `${key} was told ${entryId} over ${amount}, which the ledger does not have`);
  }
}
