import { isDeepStrictEqual } from 'node:util';
import type { LotAmount } from '../../functions/src/credits/schema.ts';
import type { Seed, SeedAgent, SeedSession } from './seed.ts';

type Entry = SeedAgent['ledger'][string];

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const sumOf = (lots: LotAmount[]) => sum(lots.map(({ amount }) => amount));

/** What is wrong with the order, the amounts, the running balance and the ids of a ledger. */
function checkLedger(agent: SeedAgent, entries: [string, Entry][], seed: Seed): string[] {
  const problems: string[] = [];
  const left = new Map<string, number>();
  let balance = 0;
  let debt = 0;
  entries.forEach(([id, entry], index) => {
    balance += entry.amount;
    debt += entry.debt;
    if (entry.seq !== index + 1) problems.push(`${id} has seq ${entry.seq} instead of ${index + 1}`);
    if (entry.balanceAfter !== balance) problems.push(`${id} has balanceAfter ${entry.balanceAfter} instead of ${balance}`);
    if (entry.operationId !== id) problems.push(`${id} has operationId ${entry.operationId}`);
    const moved = sumOf(entry.lots) - entry.debt;
    if (entry.amount !== moved) problems.push(`${id} has amount ${entry.amount}, its lots less debt change by ${moved}`);
    for (const { grantId, amount } of entry.lots) {
      left.set(grantId, (left.get(grantId) ?? 0) + amount);
      if (left.get(grantId)! < 0) problems.push(`${id} takes more from ${grantId} than is left`);
      if (!agent.grants[grantId]) problems.push(`${id} names the grant ${grantId}, which does not exist`);
    }
    if (debt < 0) problems.push(`${id} repays more than is owed`);
    if (entry.sessionId !== undefined && !seed.sessions[entry.sessionId]) problems.push(`${id} names the session ${entry.sessionId}, which does not exist`);
  });
  return problems;
}

/** What is wrong between the grants of an agent, their entries and the lots that they have left. */
function checkLots(agent: SeedAgent, entries: [string, Entry][]): string[] {
  const problems: string[] = [];
  const changes = entries.flatMap(([, entry]) => entry.lots);
  for (const [grantId, grant] of Object.entries(agent.grants)) {
    const opened = agent.ledger[grantId];
    if (grant.grantId !== grantId) problems.push(`${grantId} has grantId ${grant.grantId}`);
    if (opened?.type !== 'grant' || !isDeepStrictEqual(opened.lots, [{ grantId, amount: grant.amount }])) problems.push(`${grantId} has no ledger entry of the same id and amount`);
    const { source, priority, expiresAt, rollover, createdAt } = grant;
    const remaining = sumOf(changes.filter((change) => change.grantId === grantId));
    const lot = agent.lots[grantId];
    if ((lot?.remaining ?? 0) !== remaining) problems.push(`${grantId} has ${lot?.remaining ?? 0} left instead of ${remaining}`);
    if (lot && !isDeepStrictEqual(lot, { source, priority, expiresAt, rollover, createdAt, voided: false, remaining: lot.remaining })) problems.push(`the lot ${grantId} differs from its grant`);
  }
  for (const [grantId, { remaining }] of Object.entries(agent.lots)) {
    if (!agent.grants[grantId]) problems.push(`the lot ${grantId} has no grant`);
    if (remaining <= 0) problems.push(`the lot ${grantId} has ${remaining} left and stands there all the same`);
  }
  const dueAt = Object.values(agent.lots).flatMap((lot) => lot.expiresAt ?? []).sort()[0] ?? null;
  if (agent.dueAt !== dueAt) problems.push(`dueAt is ${agent.dueAt}, the first open lot expires at ${dueAt}`);
  return problems;
}

/** What is wrong with the holds of an agent: none is pending, and those of its sessions are resolved. */
function checkHolds(agent: SeedAgent, seed: Seed): string[] {
  const problems: string[] = [];
  if (agent.heldDOFs !== 0 || Object.keys(agent.holds).length > 0) problems.push('something is held, but no session of the seed is open');
  for (const [holdId, hold] of Object.entries(agent.resolvedHolds)) {
    const session = seed.sessions[hold.sessionId ?? ''];
    if (hold.holdId !== holdId) problems.push(`the hold ${holdId} has holdId ${hold.holdId}`);
    if (hold.sessionId !== holdId || session?.agentInstanceId !== agent.agentInstanceId) problems.push(`the hold ${holdId} is for no session of this agent`);
    else if (hold.postedDOFs !== session.settledDOFs) problems.push(`the hold ${holdId} posted ${hold.postedDOFs}, its session settled ${session.settledDOFs}`);
    if (sumOf(hold.lots) !== hold.releasedDOFs) problems.push(`the hold ${holdId} released ${hold.releasedDOFs}, its lots got ${sumOf(hold.lots)}`);
  }
  return problems;
}

/** What breaks invariant I1 (design, section 5) or the shape of one agent. */
function checkAgent(uid: string, id: string, agent: SeedAgent, seed: Seed): string[] {
  const entries = Object.entries(agent.ledger).sort(([, a], [, b]) => a.seq - b.seq);
  const problems = [...checkLedger(agent, entries, seed), ...checkLots(agent, entries), ...checkHolds(agent, seed)];
  if (agent.agentInstanceId !== id || agent.ownerId !== uid) problems.push('its own ids differ from its path');
  if (seed.products[agent.agentProductId]?.version !== agent.productVersion) problems.push(`there is no product ${agent.agentProductId} of version ${agent.productVersion}`);
  if (agent.seq !== entries.length) problems.push(`seq is ${agent.seq}, the ledger has ${entries.length} entries`);
  const booked = sum(entries.map(([, { amount }]) => amount));
  if (booked !== agent.currentDOFs) problems.push(`currentDOFs is ${agent.currentDOFs}, the ledger sums to ${booked}`);
  const remaining = sum(Object.values(agent.lots).map((lot) => lot.remaining)) - agent.debtDOFs;
  if (remaining !== agent.currentDOFs) problems.push(`currentDOFs is ${agent.currentDOFs}, the lots less debt hold ${remaining}`);
  const owed = sum(entries.map(([, { debt }]) => debt));
  if (owed !== agent.debtDOFs) problems.push(`debtDOFs is ${agent.debtDOFs}, the ledger sums to ${owed}`);
  return problems.map((problem) => `users/${uid}/agents/${id}: ${problem}`);
}

/** What is wrong with the lines of a session's final checkpoint: together they explain every DOF, in order. */
function checkReceipt(id: string, { ownerId, agentInstanceId, consumedDOFs, checkpoints }: SeedSession): string[] {
  const { final, ...others } = checkpoints;
  if (!final || Object.keys(others).length > 0) return ['it has not exactly the checkpoint final'];
  const problems: string[] = [];
  if (!isDeepStrictEqual([final.sessionId, final.ownerId, final.agentInstanceId, final.final], [id, ownerId, agentInstanceId, true])) problems.push('its checkpoint is of something else');
  if (final.total !== consumedDOFs) problems.push(`it consumed ${consumedDOFs}, its checkpoint says ${final.total}`);
  let reached = 0;
  for (const { requestId, from, to } of final.lines) {
    if (from !== reached || to <= from) problems.push(`the line ${requestId} goes from ${from} to ${to} instead of on from ${reached}`);
    reached = to;
  }
  if (reached !== final.total) problems.push(`its lines add up to ${reached}, its checkpoint says ${final.total}`);
  const ends = [final.lines[0], final.lines.at(-1)].map((line) => (line ? new Date(line.at).toISOString() : null));
  if (!isDeepStrictEqual([final.firstAt, final.lastAt], ends)) problems.push('firstAt and lastAt are not those of its lines');
  return problems;
}

/** What is wrong with a session, which is an ended and settled one. */
function checkSession(id: string, session: SeedSession, seed: Seed): string[] {
  const problems = checkReceipt(id, session);
  const agent = seed.users[session.ownerId]?.agents[session.agentInstanceId];
  const { status, settlement, heldDOFs } = session;
  if (session.sessionId !== id) problems.push('its own id differs from its path');
  if (!isDeepStrictEqual({ status, settlement, heldDOFs }, { status: 'ended', settlement: 'done', heldDOFs: 0 })) problems.push('it is not ended and settled');
  if (agent?.agentProductId !== session.agentProductId || agent.productVersion !== session.priceVersion) problems.push('it is of no agent with this product and version');
  const settled = -sum(Object.values(agent?.ledger ?? {}).filter((entry) => entry.sessionId === id).map(({ amount }) => amount));
  if (session.settledDOFs !== settled || session.consumedDOFs !== settled) problems.push(`it consumed ${session.consumedDOFs} and settled ${session.settledDOFs}, the ledger says ${settled}`);
  if (!agent?.resolvedHolds[id]) problems.push('its hold was never resolved');
  return problems.map((problem) => `sessions/${id}: ${problem}`);
}

/** Everything that is wrong with the seed, one line each; empty when it is sound. */
export function validateSeed(seed: Seed): string[] {
  const problems = seed.accounts.filter(({ uid, email }) => seed.users[uid]?.email !== email).map(({ uid }) => `accounts: ${uid} has no user document with the same email`);
  for (const [uid, user] of Object.entries(seed.users)) {
    if (!seed.accounts.some((account) => account.uid === uid)) problems.push(`users/${uid}: there is no account`);
    for (const [id, agent] of Object.entries(user.agents)) problems.push(...checkAgent(uid, id, agent, seed));
  }
  for (const [id, session] of Object.entries(seed.sessions)) problems.push(...checkSession(id, session, seed));
  return problems;
}
