import { setImmediate as settled } from 'node:timers/promises';

/** Something that waits to happen: a request at a database, news on their way to a process, a trigger's event. */
export interface Task {
  /** Tasks of one lane happen in order; null for one that may happen at any time. */
  lane: string | null;
  /** Who it belongs to; it is dropped when that one dies. */
  owner: object | null;
  run: () => void;
}

interface Timer {
  at: number;
  owner: object | null;
  act: () => void;
}

/** Virtual time and everything that waits. Nothing happens unless it is told to; nothing depends on the real clock. */
export class Scheduler {
  /** ms since the epoch. */
  now: number;
  private readonly tasks: Task[] = [];
  private timers: Timer[] = [];

  constructor(now: number) {
    this.now = now;
  }

  add(task: Task): void {
    this.tasks.push(task);
  }

  /** Runs `act` once the time has come; the answer cancels it. */
  after(ms: number, act: () => void, owner: object | null): () => void {
    const timer: Timer = { at: this.now + Math.max(0, ms), owner, act };
    this.timers.push(timer);
    return () => { this.timers = this.timers.filter((each) => each !== timer); };
  }

  /** Tasks that may happen next: the first of every lane, and all without one. */
  runnable(): Task[] {
    const lanes = new Set<string>();
    return this.tasks.filter(({ lane }) => {
      if (lane === null) return true;
      if (lanes.has(lane)) return false;
      lanes.add(lane);
      return true;
    });
  }

  /** Lets one task happen, and everything that follows from it without waiting. */
  async run(task: Task): Promise<void> {
    this.tasks.splice(this.tasks.indexOf(task), 1);
    task.run();
    await settled();
  }

  /** Moves the time to the next timer and lets it act; false when there is none before `until`. */
  async advance(until = Infinity): Promise<boolean> {
    const next = this.timers.reduce<Timer | null>((first, timer) => (first === null || timer.at < first.at ? timer : first), null);
    if (!next || next.at > until) return false;
    this.timers = this.timers.filter((timer) => timer !== next);
    this.now = Math.max(this.now, next.at);
    next.act();
    await settled();
    return true;
  }

  /** Forgets what belongs to one that has died, and gives its tasks. */
  drop(owner: object): Task[] {
    this.timers = this.timers.filter((timer) => timer.owner !== owner);
    const dropped = this.tasks.filter((task) => task.owner === owner);
    for (const task of dropped) this.tasks.splice(this.tasks.indexOf(task), 1);
    return dropped;
  }
}
