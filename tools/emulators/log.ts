import { stripVTControlCharacters } from 'node:util';

const TROUBLE = /error|warn|⚠|fail|fatal|exception|exited|cannot|could not|not found/i;

/** The end of a log as far as it tells what went wrong, without colours. */
export function lastUsefulLines(log: string, count = 12): string {
  const lines = stripVTControlCharacters(log).split('\n').map((line) => line.trimEnd()).filter(Boolean);
  const trouble = lines.filter((line) => TROUBLE.test(line));
  return (trouble.length > 0 ? trouble : lines).slice(-count).map((line) => `  ${line}`).join('\n');
}
