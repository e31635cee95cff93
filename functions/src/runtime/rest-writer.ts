import type { Response } from 'express';

/** Writes an answer in pieces, no faster than it is taken. */
export interface Writer {
  write: (text: string) => void;
  /** Resolves when the caller has taken enough of what was written, or has gone. */
  taken: () => Promise<void>;
}

/** Listens once for all pieces: what is compressed has a "drain" of its own, for which nobody can stop to listen. */
export function writerTo(response: Response): Writer {
  let room = Promise.resolve();
  let makeRoom: (() => void) | undefined;
  const done = (): void => {
    makeRoom?.();
    makeRoom = undefined;
  };
  response.on('drain', done);
  response.on('close', done);
  return {
    write: (text) => {
      if (!response.write(text) && makeRoom === undefined) room = new Promise((resolve) => { makeRoom = resolve; });
    },
    taken: () => (response.closed ? Promise.resolve() : room),
  };
}
