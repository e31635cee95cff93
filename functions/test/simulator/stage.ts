import type { AgentDoc, ProductDoc } from '../../src/agents/schema.ts';
import type { SessionDoc } from '../../src/sessions/schema.ts';
import { Clients } from './client.ts';
import { drive } from './driver.ts';
import { Invariants } from './invariants.ts';
import { checkLive, checkMembers, checkQuiet } from './quiet.ts';
import { agentId, players, seedWorld } from './setup.ts';
import { deliverEvents, eventsOf, type TriggerEvent } from './triggers.ts';
import { World, type Process } from './world.ts';

/** What a stage is built with. */
export interface StageOptions {
  seed?: number;
  /** DOFs of every agent. */
  dofs?: number;
  rates?: Partial<ProductDoc['dofRates']>;
  names?: readonly string[];
  agents?: number;
  /** How often each event of a trigger is delivered. */
  copies?: (event: TriggerEvent) => number;
}

/** A world with one or more processes, for a scene that is written out rather than left to chance. */
export class Stage {
  readonly world: World;
  readonly clients: Clients;
  readonly invariants: Invariants;
  /** Processes that calls go to, in turn. */
  readonly pool: Process[] = [];
  /** Every event of a trigger so far. */
  readonly events: TriggerEvent[] = [];
  private calls = 0;
  private readonly opening: (() => Promise<unknown>)[];

  constructor({ seed = 1, dofs = 100, rates = {}, names = players.slice(0, 1), agents = 1, copies = () => 1 }: StageOptions = {}) {
    this.world = new World({ seed });
    this.invariants = new Invariants(this.world);
    this.pool.push(this.world.boot());
    const processOf = (): Process => this.nextProcess();
    this.clients = new Clients(this.world, processOf, this.invariants.membership);
    this.world.onCommit((changes) => this.events.push(...eventsOf(changes)));
    deliverEvents(this.world, { processOf, copies });
    this.opening = [() => seedWorld(this.world, names, agents, {}, rates), ...names.flatMap((name) => Array.from({ length: agents }, (_, index) => () => (
      this.clients.money('grantDofs', name, index, { idempotencyKey: `first-${agentId(name, index)}`, amount: dofs, source: 'hire', reason: 'hired' }))))];
  }

  /** Lets pieces of work happen, in order or together, and everything that follows from them. */
  async play(work: (() => Promise<unknown>)[], parallel = 1): Promise<void> {
    const opening = this.opening.splice(0);
    if (opening.length > 0) await this.play(opening);
    const all = work.map((act) => async () => void await act());
    await drive(this.world, { work: all, parallel, afterStep: () => { if (this.invariants.broken) throw this.invariants.broken; } });
  }

  /** Lets minutes pass, then sweeps. */
  async rest(...minutes: number[]): Promise<void> {
    for (const each of minutes) await this.play([() => this.pass(each), () => this.clients.sweep()]);
  }

  pass(minutes: number): Promise<void> {
    return new Promise((resolve) => { this.world.scheduler.after(minutes * 60_000, resolve, null); });
  }

  /** Delivers the events that a commit has set off so far, each until its function says that it is done. */
  async deliver(which: (event: TriggerEvent) => boolean): Promise<void> {
    for (const event of this.events.filter(which)) {
      let delivered = false;
      while (!delivered) delivered = await this.world.call(this.nextProcess(), event.handle).then(() => true, () => false);
    }
  }

  /** Ends a player's session on a process that dies right after the commit: what follows from it is left to others. */
  async dieAfterEnding(player: string): Promise<void> {
    const dying = this.world.boot();
    this.pool.splice(0, this.pool.length, dying);
    const { faultOf } = this.world;
    this.world.faultOf = (process, { kind, paths }) => (process === dying && kind === 'commit' && paths.some((path) => path.endsWith('/checkpoints/final')) ? 'crash after' : 'none');
    await this.clients.end(player);
    this.world.faultOf = faultOf;
  }

  /** Ends everything as time would, and checks that nothing was lost and nothing happened twice. */
  async curtain(): Promise<void> {
    this.world.faultOf = () => 'none';
    for (const process of this.world.processes) process.skewMs = 0;
    checkMembers(this.world);
    await this.rest(20);
    checkLive(this.world);
    await this.rest(45, 20);
    await this.play([() => this.clients.audit()]);
    checkQuiet(this.world, this.clients.told);
  }

  /** A turn of the session that a player knows of. */
  turn(requestId: string, parts: Partial<Parameters<Clients['turn']>[0]> = {}): Promise<void> {
    const player = parts.player ?? players[0];
    return this.clients.turn({ player, sessionId: this.clients.sessions.get(player)!, requestId, behaviour: 'answers', frame: false, leavesAfterMs: null, ...parts });
  }

  /** A turn of somebody else in the first player's session. */
  guestTurn(player: string, requestId: string, parts: Partial<Parameters<Clients['turn']>[0]> = {}): Promise<void> {
    return this.turn(requestId, { player, sessionId: this.clients.sessions.get(players[0])!, ...parts });
  }

  /** Lets somebody join the first player's session with an invite of its own. */
  async admit(person: string, terms: Parameters<Clients['share']>[1] = {}): Promise<void> {
    const invite = await this.clients.share(players[0], terms);
    await this.clients.join(person, invite!);
  }

  agent(player: string = players[0], index = 0): AgentDoc {
    return this.world.firestore.snapshotAt(`users/${player}/agents/${agentId(player, index)}`).data() as AgentDoc;
  }

  sessions(): SessionDoc[] {
    return Object.entries(this.world.firestore.dump('sessions')).filter(([path]) => /^sessions\/[^/]+$/.test(path)).map(([, session]) => session as SessionDoc);
  }

  private nextProcess(): Process {
    const index = this.calls++ % this.pool.length;
    if (!this.pool[index]!.alive) this.pool[index] = this.world.boot();
    return this.pool[index]!;
  }
}
