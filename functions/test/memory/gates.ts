import { openGate, type Gate } from './io.ts';

/** A gate that writes down what passes. */
export function record(inner: Gate = openGate): { gate: Gate; log: string[] } {
  const log: string[] = [];
  const gate: Gate = (io, apply) => {
    log.push(`${io.kind} ${io.paths.join(' ')}${io.writes ? ' !' : ''}`);
    return inner(io, apply);
  };
  return { gate, log };
}

/** Nothing reaches the database, and nothing comes back. */
export const crashed: Gate = () => new Promise(() => undefined);

/** Everything reaches the database, and no answer comes back. */
export const deaf: Gate = (_io, apply) => {
  apply();
  return new Promise(() => undefined);
};

/** The request never arrives. */
export const unreachable: Gate = () => Promise.reject(Object.assign(new Error('no route'), { code: 14 }));

/** The request arrives, its answer does not. */
export const lossy: Gate = (_io, apply) => {
  apply();
  return Promise.reject(Object.assign(new Error('connection lost'), { code: 14 }));
};

/** Lets everything happen that needs no timer. */
export const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
