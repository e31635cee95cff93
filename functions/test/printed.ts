import type { AppError } from '../src/runtime/errors.ts';
import { useLog } from '../src/runtime/log.ts';

/** What something came to, and what it has printed meanwhile, as the platform reads it. */
export interface Printed<T> {
  output?: T;
  error?: AppError;
  log: string;
}

/** Runs something that logs, and keeps the log for itself. */
export async function withLog<T>(act: () => Promise<T>): Promise<Printed<T>> {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((each) => each.write.bind(each));
  let log = '';
  for (const each of streams) each.write = (text: string | Uint8Array) => Boolean(log += String(text));
  try {
    return { output: await act(), log };
  } catch (error) {
    return { error: error as AppError, log };
  } finally {
    streams.forEach((each, index) => { each.write = writes[index]!; });
  }
}

/** The entries of a log, as JSON. */
export function entriesOf(log: string): Record<string, unknown>[] {
  return log.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** An entry as a function prints it. */
export type Written = Record<string, unknown> & { severity: string; message: string };

/** Has every entry kept as the platform gets it, as JSON, and none printed, until useLog(null). */
export function keepEntries(): Written[] {
  const written: Written[] = [];
  const keep = (severity: string, message: string, fields: object = {}): void => void written.push(JSON.parse(JSON.stringify({ ...fields, severity, message })) as Written);
  useLog({ info: (message, fields) => keep('INFO', message, fields), warn: (message, fields) => keep('WARNING', message, fields), write: ({ severity, message, ...fields }) => keep(severity, String(message), fields) });
  return written;
}
