import { randomBytes } from 'node:crypto';

/** What a program takes from its surroundings beside its databases: the clock, timers and chance. */
export interface System {
  /** ms since the epoch. */
  now(): number;
  /** A fresh id: safe in paths and URLs. */
  newId(): string;
  /** 24 random bytes that nobody can guess, as text that is safe in URLs. The real ones where a replacement has none. */
  newSecret?(): string;
  /** A number from 0 up to 1. */
  random(): number;
  /** Runs `act` after some ms; the answer cancels it. */
  after(ms: number, act: () => void): () => void;
}

const real: Required<System> = {
  now: () => Date.now(),
  newId: () => randomBytes(15).toString('base64url'),
  newSecret: () => randomBytes(24).toString('base64url'),
  random: () => Math.random(),
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

let system: System = real;

/** Replaces the clock, timers and chance of this process; null restores the real ones. For simulations. */
export function useSystem(replacement: System | null): void {
  system = replacement ?? real;
}

export const now: System['now'] = () => system.now();
export const newId: System['newId'] = () => system.newId();
export const newSecret = (): string => (system.newSecret ?? real.newSecret)();
export const random: System['random'] = () => system.random();
export const after: System['after'] = (ms, act) => system.after(ms, act);

/** Resolves after some ms. */
export const wait = (ms: number): Promise<void> => new Promise((resolve) => { after(ms, resolve); });
