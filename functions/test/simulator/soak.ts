import { auditPage } from '../../src/audit/store.ts';
import { Clients } from './client.ts';
import { drive } from './driver.ts';
import { faultsOf, type Fault } from './faults.ts';
import { Invariants } from './invariants.ts';
import type { Behaviour } from './provider.ts';
import { checkLive, checkQuiet } from './quiet.ts';
import { seedWorld } from './setup.ts';
import { deliverEvents } from './triggers.ts';
import { World, type Process } from './world.ts';

/** How much a soak runs. */
export interface SoakOptions {
  users: number;
  /** Of all users together. */
  frames: number;
  seed: number;
  /** Share of frames that meet each kind of fault. */
  faultRate: number;
  onFrame?: (done: number) => void;
  signal?: AbortSignal;
}

/** What a soak came to. `drifts` are those of the product's own audit. */
export interface SoakReport {
  frames: number;
  answered: number;
  consumedDOFs: number;
  faults: Record<string, number>;
  agents: number;
  entries: number;
  drifts: string[];
}

const faultyBehaviours: Behaviour[] = ['fails at once', 'breaks off', 'hangs in the middle', 'does not say what it used', 'claims too much'];
const databaseFaults: Fault[] = ['crash before', 'crash after', 'fail before', 'fail after'];
/** A turn has about as many requests; a fault strikes one of them. */
const requestsPerTurn = 12;
const processCount = 8;

/**
 * Many players on the real code with databases in memory, every kind of fault in its share of the frames, every money
 * rule checked after every commit, and at the end an audit of every agent.
 * Null when it was interrupted.
 * @throws Broken when a money rule is broken.
 */
export async function soak({ users, frames, seed, faultRate, onFrame = () => undefined, signal }: SoakOptions): Promise<SoakReport | null> {
  const world = new World({ seed });
  try {
    const names = Array.from({ length: users }, (_, index) => `u${index}`);
    const invariants = new Invariants(world);
    const faults: Record<string, number> = {};
    const count = (kind: string): void => { faults[kind] = (faults[kind] ?? 0) + 1; };
    const strikes = new Strikes(world, count);
    const processOf = pool(world);
    const clients = new Clients(world, processOf, invariants.membership);
    const copies = (): number => {
      if (world.chance.is(faultRate)) { count('event twice'); return 2; }
      if (world.chance.is(faultRate)) { count('event late'); return 3; }
      return 1;
    };
    deliverEvents(world, { processOf, copies });
    const check = (): void => { if (invariants.broken) throw invariants.broken; };
    await drive(world, { work: [async () => void await seedWorld(world, names, 1)], parallel: 1 });

    let done = 0;
    const play = async (player: string, turns: number): Promise<void> => {
      await clients.money('grantDofs', player, 0, { idempotencyKey: `pay-${player}`, amount: 8 * turns, source: 'purchase', reason: 'bought' });
      for (let turn = 0; turn < turns && !signal?.aborted; turn++) {
        // A session lasts 12 turns at most here, and may have ended by itself.
        if (turn % 12 === 0) await clients.end(player).then(() => clients.start(player, 0, false));
        const is = (kind: string): boolean => world.chance.is(faultRate) && (count(kind), true);
        for (const fault of databaseFaults) if (world.chance.is(faultRate)) strikes.add(fault, world.chance.below(requestsPerTurn));
        const behaviour = faultyBehaviours.find((each) => is(each)) ?? 'answers';
        const options = { player, sessionId: clients.sessions.get(player) ?? 'none', requestId: `r${turn}`, behaviour, frame: turn % 2 === 0, leavesAfterMs: is('caller leaves') ? world.chance.below(600) : null };
        await clients.turn(options);
        if (is('sent again')) await clients.turn(options);
        onFrame(++done);
      }
      await clients.end(player);
    };
    const pass = (minutes: number) => () => new Promise<void>((resolve) => { world.scheduler.after(minutes * 60_000, resolve, null); });
    const work = names.map((name) => () => play(name, Math.ceil(frames / users)));
    for (let from = 0; from < work.length; from += usersPerWave) {
      if (signal?.aborted) return null;
      await drive(world, { work: work.slice(from, from + usersPerWave), parallel: 32, afterStep: check });
      // An hour later the sweep removes the live state of sessions that have ended, as it does for real players.
      await drive(world, { work: [() => clients.sweep(), pass(65), () => clients.sweep()], parallel: 1, afterStep: check });
    }
    if (signal?.aborted) return null;
    strikes.stop();
    for (const minutes of [20, 45, 20, 20]) {
      await drive(world, { work: [pass(minutes), () => clients.sweep()], parallel: 1, afterStep: check });
      checkLive(world);
    }
    checkQuiet(world, clients.told);
    const audits = await auditAll(world);
    const costs = [...clients.told.turns.values()];
    return {
      frames: done, answered: costs.length, consumedDOFs: costs.reduce((sum, cost) => sum + cost, 0), faults, agents: audits.length,
      entries: audits.reduce((sum, { entries }) => sum + entries, 0), drifts: audits.flatMap(({ drifts }) => drifts.map((drift) => JSON.stringify(drift))),
    };
  } finally {
    await world.close();
  }
}
const usersPerWave = 50;

/** Faults that wait for a request that can meet them. */
class Strikes {
  private readonly waiting: { fault: Fault; after: number }[] = [];
  private stopped = false;

  constructor(world: World, count: (kind: string) => void) {
    world.faultOf = (_process, io) => {
      if (this.stopped) return 'none';
      for (const strike of this.waiting) strike.after--;
      const next = this.waiting.findIndex(({ fault, after }) => after <= 0 && faultsOf(io).includes(fault));
      if (next < 0) return 'none';
      const [{ fault } = { fault: 'none' as const }] = this.waiting.splice(next, 1);
      count(fault);
      return fault;
    };
  }

  add(fault: Fault, after: number): void {
    this.waiting.push({ fault, after });
  }

  stop(): void {
    this.stopped = true;
  }
}

/** Processes with clocks up to ten minutes off; one that died is replaced. */
function pool(world: World): () => Process {
  const skewed = (): Process => world.boot(world.chance.is(0.1) ? (world.chance.is(0.5) ? 1 : -1) * world.chance.below(10 * 60_000) : 0);
  const processes = Array.from({ length: processCount }, skewed);
  return () => {
    const index = world.chance.below(processCount);
    if (!processes[index]!.alive) processes[index] = skewed();
    return processes[index]!;
  };
}

async function auditAll(world: World): Promise<Awaited<ReturnType<typeof auditPage>>['audits']> {
  const audits: Awaited<ReturnType<typeof auditPage>>['audits'] = [];
  const process = world.boot();
  await drive(world, { parallel: 1, work: [async () => {
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page: Awaited<ReturnType<typeof auditPage>> = await world.call(process, () => auditPage(cursor, 100));
      audits.push(...page.audits);
      cursor = page.cursor;
    }
  }] });
  return audits;
}
