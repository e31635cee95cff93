import type { UsageLine } from '../../src/credits/schema.ts';
import { Clients } from './client.ts';
import { carryOut, type Plan } from './commands.ts';
import { drive } from './driver.ts';
import { faultsOf } from './faults.ts';
import { Invariants } from './invariants.ts';
import { checkLive, checkMembers, checkQuiet } from './quiet.ts';
import { agentId, agentsPerPlayer, players, seedWorld } from './setup.ts';
import { deliverEvents } from './triggers.ts';
import { World, type Process } from './world.ts';

/** What a history came to. */
export interface History {
  commands: number;
  turns: number;
  consumedDOFs: number;
  faults: number;
  /** How often a settled session was compared with its `live/`. */
  shown: number;
  /** People who joined a session, turns that they paid for, and open sessions with members that were compared with their live state. */
  joins: number;
  guestTurns: number;
  shared: number;
  /** Refusals that clients got, by reason. */
  refusals: Map<string, number>;
}

const processCount = 3;
const skews = [0, 0, 0, 10 * 60_000, -10 * 60_000];

/**
 * Runs one history on the real code: clients, crashes, lost answers, repeated and reordered events, slow networks and
 * wrong clocks, all from one seed. Checks I1 to I8 after every commit, and everything once it is quiet.
 * @throws Broken when a money rule is broken, or what the code threw by itself.
 */
export async function simulate({ seed, commands }: Plan, faultRate = 0.01): Promise<History> {
  const world = new World({ seed });
  try {
    const invariants = new Invariants(world);
    const processOf = processes(world);
    const clients = new Clients(world, processOf, invariants.membership);
    const check = (): void => { if (invariants.broken) throw invariants.broken; };
    const opening = [async () => void await seedWorld(world), ...players.flatMap((player) => Array.from({ length: agentsPerPlayer }, (_, agent) => () => (
      clients.money('grantDofs', player, agent, { idempotencyKey: `first-${agentId(player, agent)}`, amount: 100, source: 'hire', reason: 'hired' }))))];
    let faults = 0;
    deliverEvents(world, { processOf, copies: (event) => (world.chance.is(0.1) ? 2 : event.name !== 'mirrorSession' && world.chance.is(0.05) ? 0 : 1) });
    await drive(world, { work: opening, parallel: 1, afterStep: check });
    world.faultOf = (_process, io, chance) => {
      if (!chance.is(faultRate)) return 'none';
      faults++;
      const possible = faultsOf(io);
      return possible[chance.below(possible.length)]!;
    };
    await drive(world, { work: commands.map((command) => () => carryOut(command, clients, world)), parallel: 4, afterStep: check });
    const shared = checkMembers(world);
    const shown = await quieten(world, clients, check);
    await drive(world, { work: [() => clients.audit()], parallel: 1, afterStep: check });
    checkQuiet(world, clients.told);
    const costs = [...clients.told.turns.values()];
    const documents = Object.values(world.firestore.dump('sessions'));
    return {
      commands: commands.length, turns: costs.length, consumedDOFs: costs.reduce((sum, cost) => sum + cost, 0), faults, shown, shared, refusals: clients.told.refusals,
      joins: documents.filter(({ usedBy }) => typeof usedBy === 'string').length,
      guestTurns: documents.flatMap(({ lines = [] }) => lines as UsageLine[]).filter(({ by }) => by !== undefined).length,
    };
  } finally {
    await world.close();
  }
}

/** Hands out processes; a dead one is replaced, with a clock that may be ten minutes off. */
function processes(world: World): () => Process {
  const pool: Process[] = [world.boot()];
  while (pool.length < processCount) pool.push(world.boot(skews[world.chance.below(skews.length)]));
  return () => {
    const index = world.chance.below(pool.length);
    if (!pool[index]!.alive) pool[index] = world.boot(skews[world.chance.below(skews.length)]);
    return pool[index]!;
  };
}

/** Stops everything that goes wrong and lets time and sweeps do their work. Answers how often `live/` was compared with a session. */
async function quieten(world: World, clients: Clients, check: () => void): Promise<number> {
  world.faultOf = () => 'none';
  for (const process of world.processes) process.skewMs = 0;
  const pass = (minutes: number) => () => new Promise<void>((resolve) => { world.scheduler.after(minutes * 60_000, resolve, null); });
  let shown = 0;
  for (const minutes of [20, 25, 20, 20, 20, 20]) {
    await drive(world, { work: [pass(minutes), () => clients.sweep()], parallel: 1, afterStep: check });
    shown += checkLive(world);
  }
  return shown;
}
