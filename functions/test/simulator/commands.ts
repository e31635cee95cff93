import fc from 'fast-check';
import type { Clients } from './client.ts';
import { behaviours } from './provider.ts';
import { agentsPerPlayer, people, players } from './setup.ts';
import type { World } from './world.ts';

const player = fc.constantFrom(...players);
const agent = fc.nat(agentsPerPlayer - 1);
/** Few keys, so that many are repeated. */
const key = fc.nat(3);
const amount = fc.integer({ min: 1, max: 300 });
const on = { player, agent, key };
const person = fc.constantFrom(...people);
/** Which invite, counted from the latest. */
const which = fc.nat(2);
const turn = { request: fc.nat(30), count: fc.constantFrom(1, 1, 1, 6), behaviour: fc.constantFrom(...behaviours, ...Array<'answers'>(12).fill('answers')), frame: fc.boolean(), queue: fc.boolean(), leavesAfterMs: fc.option(fc.nat(1_000), { freq: 6 }) };

/** What players can ask for without each other, as data. */
const alone = [
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('start' as const), player, agent: fc.nat(7).map((each) => Math.floor(each / 7)), takeOver: fc.boolean() }) },
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('turn' as const), player, person: fc.constant(null), ...turn }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), player }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('grant' as const), ...on, amount, priority: fc.nat(2), minutes: fc.option(fc.integer({ min: 1, max: 90 })), rollover: fc.option(fc.integer({ min: 1, max: 50 })) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('void' as const), ...on, grant: key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('adjust' as const), ...on, amount: fc.integer({ min: -100, max: 100 }).filter((each) => each !== 0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const), ...on, amount, seconds: fc.integer({ min: 1, max: 3_600 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resolve' as const), ...on, amount: fc.option(amount) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('audit' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 1, 30, 30, 90, 300, 900) }) },
] as const;
/** What people ask for in the sessions of others. */
const together = [
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('turn' as const), player, person, ...turn }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('share' as const), player, person: fc.option(person, { freq: 8 }), spectator: fc.nat(5).map((each) => each === 0), capDOFs: fc.option(fc.integer({ min: 4, max: 40 }), { freq: 2 }), ttlMinutes: fc.constantFrom(5, 60) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), person, which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), player, person }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), player, person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), player, which }) },
] as const;
const aloneOf = fc.oneof(...alone);
const anyOf = fc.oneof(...alone, ...together);
export type Command = typeof anyOf extends fc.Arbitrary<infer T> ? T : never;

/** One history: what the clients ask for, and the seed of everything that chance decides. */
export interface Plan {
  seed: number;
  commands: Command[];
}

/** Histories for a simulation, in every second of which sessions are shared. Every one begins with DOFs for every agent. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.noBias(fc.nat()),
  commands: fc.noBias(fc.oneof(fc.array<Command>(aloneOf, { minLength: 10, maxLength: 45, size: 'max' }), fc.array<Command>(anyOf, { minLength: 10, maxLength: 60, size: 'max' }))),
});

/** Lets the clients carry out a command. */
export async function carryOut(command: Command, clients: Clients, world: World): Promise<void> {
  switch (command.kind) {
    case 'start':
      return clients.start(command.player, command.agent, command.takeOver);
    case 'turn': {
      const sessionId = (command.person === null ? undefined : clients.visits.get(command.person)) ?? clients.sessions.get(command.player);
      const { behaviour, frame, queue, leavesAfterMs, request, count } = command;
      for (let each = request; sessionId !== undefined && each < request + count; each++) {
        await clients.turn({ player: command.person ?? command.player, sessionId, requestId: `r${each}`, behaviour, frame, queue, leavesAfterMs });
      }
      return;
    }
    case 'end':
      return clients.end(command.player);
    case 'share': {
      const { person: invited, spectator, capDOFs, ttlMinutes } = command;
      const invite = await clients.share(command.player, { role: spectator ? 'spectator' : 'player', ttlMinutes, ...(spectator || capDOFs === null ? {} : { capDOFs }) });
      if (invite && invited !== null) await clients.join(invited, invite);
      return;
    }
    case 'join':
    case 'revoke': {
      const invite = clients.invites.at(-1 - command.which);
      if (!invite) return;
      return command.kind === 'join' ? clients.join(command.person, invite) : clients.revoke(command.player, invite);
    }
    case 'leave':
    case 'remove': {
      const sessionId = clients.sessions.get(command.player);
      if (sessionId === undefined) return;
      return command.kind === 'leave' ? clients.leave(command.person, sessionId) : clients.remove(command.player, sessionId, command.person);
    }
    case 'grant': {
      const { minutes, rollover, amount: granted, priority } = command;
      const expiry = minutes === null ? {} : { expiresAt: new Date(world.scheduler.now + minutes * 60_000).toISOString(), ...(rollover === null ? {} : { rollover: { maxDOFs: rollover, days: 1 } }) };
      return clients.money('grantDofs', command.player, command.agent, { idempotencyKey: `k${command.key}`, amount: granted, source: 'purchase', priority, reason: 'bought', ...expiry });
    }
    case 'void':
      return clients.money('voidGrant', command.player, command.agent, { idempotencyKey: `k${command.key}`, grantId: `grant-k${command.grant}`, reason: 'charged back' });
    case 'adjust':
      return clients.money('adjustBalance', command.player, command.agent, { idempotencyKey: `k${command.key}`, amount: command.amount, reason: 'put right' });
    case 'hold':
      return clients.money('placeHold', command.player, command.agent, { idempotencyKey: `k${command.key}`, amount: command.amount, ttlSeconds: command.seconds });
    case 'resolve':
      return command.amount === null
        ? clients.money('releaseHold', command.player, command.agent, { holdId: `hold-k${command.key}` })
        : clients.money('postHold', command.player, command.agent, { holdId: `hold-k${command.key}`, amount: command.amount, reason: 'delivered' });
    case 'sweep':
      return clients.sweep();
    case 'audit':
      return clients.audit();
    case 'wait':
      return new Promise((resolve) => { world.scheduler.after(command.seconds * 1_000, resolve, null); });
  }
}
