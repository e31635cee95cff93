import type { Seed, SeedAgent } from './seed.ts';

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** What is wrong with the order, the running balance and the ids of a ledger. */
function checkLedger(agent: SeedAgent, entries: [string, SeedAgent['ledger'][string]][]): string[] {
  const problems: string[] = [];
  let balance = 0;
  entries.forEach(([id, entry], index) => {
    balance += entry.amount;
    if (entry.seq !== index + 1) problems.push(`${id} has seq ${entry.seq} instead of ${index + 1}`);
    if (entry.balanceAfter !== balance) problems.push(`${id} has balanceAfter ${entry.balanceAfter} instead of ${balance}`);
    if (entry.operationId !== id) problems.push(`${id} has operationId ${entry.operationId}`);
    if (entry.type === 'grant' && agent.grants[entry.grantId ?? '']?.amount !== entry.amount) problems.push(`${id} has no lot of the same amount`);
    if (entry.type === 'settlement' && sum(entry.lots.map(({ amount }) => amount)) !== -entry.amount) problems.push(`${id} takes another amount from its lots`);
  });
  return problems;
}

/** What breaks invariant I1 (design, section 5) or the shape of one agent. */
function checkAgent(uid: string, id: string, agent: SeedAgent, seed: Seed): string[] {
  const entries = Object.entries(agent.ledger).sort(([, a], [, b]) => a.seq - b.seq);
  const debits = entries.flatMap(([, entry]) => entry.lots);
  const problems = checkLedger(agent, entries);
  if (agent.agentInstanceId !== id || agent.ownerId !== uid) problems.push('its own ids differ from its path');
  if (seed.products[agent.agentProductId]?.version !== agent.productVersion) problems.push(`there is no product ${agent.agentProductId} of version ${agent.productVersion}`);
  if (agent.seq !== entries.length) problems.push(`seq is ${agent.seq}, the ledger has ${entries.length} entries`);
  const booked = sum(entries.map(([, { amount }]) => amount));
  if (booked !== agent.currentDOFs) problems.push(`currentDOFs is ${agent.currentDOFs}, the ledger sums to ${booked}`);
  const remaining = sum(Object.values(agent.grants).map((grant) => grant.remaining)) - agent.debtDOFs;
  if (remaining !== agent.currentDOFs) problems.push(`currentDOFs is ${agent.currentDOFs}, the lots less debt hold ${remaining}`);
  for (const [grantId, grant] of Object.entries(agent.grants)) {
    const burnt = sum(debits.filter((debit) => debit.grantId === grantId).map(({ amount }) => amount));
    if (grant.amount - burnt !== grant.remaining) problems.push(`${grantId} has ${grant.remaining} left instead of ${grant.amount - burnt}`);
  }
  return problems.map((problem) => `users/${uid}/agents/${id}: ${problem}`);
}

/** Everything that is wrong with the seed, one line each; empty when it is sound. */
export function validateSeed(seed: Seed): string[] {
  const problems = seed.accounts.filter(({ uid, email }) => seed.users[uid]?.email !== email).map(({ uid }) => `accounts: ${uid} has no user document with the same email`);
  for (const [uid, user] of Object.entries(seed.users)) {
    if (!seed.accounts.some((account) => account.uid === uid)) problems.push(`users/${uid}: there is no account`);
    for (const [id, agent] of Object.entries(user.agents)) problems.push(...checkAgent(uid, id, agent, seed));
  }
  return problems;
}
