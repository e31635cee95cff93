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

/** Structured logs as Cloud Logging reads them: a message and fields. Never a key, prompt, frame or token text. */
export const log: Log = {
  info: (message, fields) => sink.info(message, fields),
  warn: (message, fields) => sink.warn(message, fields),
  write: (entry) => sink.write(entry),
};
