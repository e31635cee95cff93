import { acquire, post, type Meter, type TurnClaim } from '../src/live/meter.ts';
import { living, turnAt } from '../src/live/queue.ts';
import { withdraw } from '../src/live/withdrawal.ts';

/** Somebody who asks for a turn. Times in ms. */
export interface Caller {
  arrivesAt: number;
  /** Whether it waits for the turns before its own. */
  waits: boolean;
  turnMs: number;
  /** How long it takes from when it could go until it does. */
  reactsMs: number;
  dies: 'never' | 'waiting' | 'holding';
  /** When it gives up, if it still waits while somebody has a turn then. */
  leavesAfterMs: number | null;
}

/** A turn that was taken. Times in ms. */
export interface Turn {
  caller: number;
  from: number;
  to: number;
  /** When the meter was free for it: since the turn before, or since it came. */
  freeAt: number;
}

/** What a play came to. */
export interface Played {
  turns: Turn[];
  /** Callers as they got their tickets, and when. */
  tickets: { caller: number; at: number }[];
  refused: { caller: number; at: number; waiting: number }[];
  /** Most who waited at once. */
  longest: number;
}

/** Lets callers meet at one meter, each as the code of a turn behaves: it tries, waits, looks again whenever the meter changes. */
export function play(callers: Caller[], limits: { most: number; waitMs: number; leaseMs: number }): Played {
  return new Line(callers, limits).play();
}

interface Step {
  at: number;
  order: number;
  act: () => void;
}

class Line {
  private readonly played: Played = { turns: [], tickets: [], refused: [], longest: 0 };
  private meter: Meter = { open: true, generation: 1, limit: 1_000_000, consumed: 0, checkpointed: 0, expiresAt: 10_000_000 };
  private now = 0;
  private steps: Step[] = [];
  private count = 0;
  /** Those who wait and live, and the step at which each tries next. */
  private readonly waiting = new Map<number, Step | null>();
  private freeAt = 0;
  private readonly callers: Caller[];
  private readonly limits: { most: number; waitMs: number; leaseMs: number };

  constructor(callers: Caller[], limits: { most: number; waitMs: number; leaseMs: number }) {
    this.callers = callers;
    this.limits = limits;
  }

  play(): Played {
    for (const [index, { arrivesAt }] of this.callers.entries()) this.at(arrivesAt, () => this.attempt(index));
    while (this.steps.length > 0) {
      const next = this.steps.reduce((first, step) => (step.at < first.at || (step.at === first.at && step.order < first.order) ? step : first));
      this.drop(next);
      this.now = next.at;
      next.act();
    }
    return this.played;
  }

  private at(at: number, act: () => void): Step {
    const step = { at, order: this.count++, act };
    this.steps.push(step);
    return step;
  }

  private drop(step: Step | null): void {
    this.steps = this.steps.filter((each) => each !== step);
  }

  private attempt(index: number): void {
    const { arrivesAt, waits, dies, leavesAfterMs } = this.callers[index]!;
    const until = arrivesAt + this.limits.waitMs;
    const claim: TurnClaim = {
      requestId: `r${index}`, fence: `f${index}`, held: 1, least: 1, floor: 1, inputPrice: 1, leaseMs: this.limits.leaseMs, idleMs: 600_000,
      ...(waits ? { waits: { since: arrivesAt, until, most: this.limits.most } } : {}),
    };
    const { meter } = this;
    const acquired = acquire(meter, claim, this.now);
    if (acquired.kind === 'leased') return this.take(index, acquired.meter);
    if (acquired.kind === 'abandoned') {
      this.release(meter.turn!.fence);
      return this.attempt(index);
    }
    if (acquired.kind !== 'queued') {
      this.played.refused.push({ caller: index, at: this.now, waiting: Object.keys(living(meter, this.now)).length });
      return this.leave(index);
    }
    this.played.longest = Math.max(this.played.longest, Object.keys(living(acquired.meter, this.now)).length);
    if (!this.waiting.has(index)) {
      this.played.tickets.push({ caller: index, at: this.now });
      if (dies !== 'waiting') this.waiting.set(index, null);
      if (leavesAfterMs !== null) this.at(arrivesAt + leavesAfterMs, () => { if (this.waiting.has(index) && this.meter.turn) this.leave(index); });
    }
    this.change(acquired.meter);
  }

  private take(index: number, meter: Meter): void {
    const { turnMs, dies } = this.callers[index]!;
    this.stopWaiting(index);
    this.played.turns.push({ caller: index, from: this.now, to: this.now + (dies === 'holding' ? this.limits.leaseMs : turnMs), freeAt: Math.max(this.freeAt, this.callers[index]!.arrivesAt) });
    this.change(meter);
    if (dies !== 'holding') this.at(this.now + turnMs, () => this.release(`f${index}`));
  }

  private release(fence: string): void {
    this.freeAt = this.now;
    this.change(post(this.meter, { fence, cost: 0, streamed: false, idleMs: 600_000, settleEvery: 1_000 }, this.now)!.meter);
  }

  private leave(index: number): void {
    this.stopWaiting(index);
    this.change(withdraw(this.meter, `f${index}`, { unpaid: true, idleMs: 600_000 }, this.now));
  }

  private stopWaiting(index: number): void {
    this.drop(this.waiting.get(index) ?? null);
    this.waiting.delete(index);
  }

  /** Everybody who waits sees the new meter. */
  private change(meter: Meter): void {
    this.meter = meter;
    for (const index of this.waiting.keys()) this.look(index);
  }

  private look(index: number): void {
    const { arrivesAt, reactsMs } = this.callers[index]!;
    const next = this.waiting.get(index)!;
    const at = Math.max(this.now, Math.min(arrivesAt + this.limits.waitMs, turnAt(this.meter, `f${index}`))) + reactsMs;
    // What it is about to do already, it does no later.
    if (next && next.at <= at) return;
    this.drop(next);
    this.waiting.set(index, this.at(at, () => {
      this.waiting.set(index, null);
      this.attempt(index);
    }));
  }
}
