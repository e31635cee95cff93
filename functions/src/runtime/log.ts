import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import * as logger from 'firebase-functions/logger';

/** Where entries go. */
export interface Log {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  write(entry: logger.LogEntry): void;
}

let sink: Log = logger;

/** Sends the entries of this process elsewhere; null goes back to Cloud Logging. For simulations. */
export function useLog(replacement: Log | null): void {
  sink = replacement ?? logger;
}

/** What an entry is about: ids that an operator looks things up by, and nothing that says who somebody is. */
export interface Subject {
  sessionId?: string | undefined;
  agentInstanceId?: string | undefined;
  requestId?: string | undefined;
  /** Whose call it is, see userTag. */
  user?: string | undefined;
}

const subject = new AsyncLocalStorage<Subject>();

/** Has every entry of `act`, and of all that it waits for, say what it is about: that ties the entries of a call or of a trigger to their session. */
export function logAbout<T>(about: Subject, act: () => T): T {
  return subject.run({ ...subject.getStore(), ...about }, act);
}

/**
 * Structured logs as Cloud Logging reads them: a message, fields, what they are about, and the trace of the request, which
 * the logger of the platform adds. Never a key, prompt, reply, frame, token, name, address or account id.
 */
export const log: Log = {
  info: (message, fields) => sink.info(message, { ...subject.getStore(), ...fields }),
  warn: (message, fields) => sink.warn(message, { ...subject.getStore(), ...fields }),
  write: (entry) => sink.write({ ...subject.getStore(), ...entry }),
};

/**
 * How the log names a user. An account id leads to a name and an e-mail address in one step and outlives the account in
 * whatever logs are exported to. This one is still the same for every call of a user, can be made from the account id
 * (`printf %s UID | sha256sum | cut -c1-16`), and leads nowhere without it.
 */
export function userTag(uid: string): string {
  return createHash('sha256').update(uid).digest('hex').slice(0, 16);
}
