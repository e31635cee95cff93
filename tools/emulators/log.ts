import { stripVTControlCharacters } from 'node:util';

const TROUBLE = /error|warn|⚠|fail|fatal|exception|exited|cannot|could not|not found/i;
// Said by every healthy start too.
const USUAL = /Env variable override detected|The Emulator UI is not starting/;

/** The end of a log as far as it tells what went wrong, without colours. */
export function lastUsefulLines(log: string, count = 12): string {
  const lines = stripVTControlCharacters(log).split('\n').map((line) => line.trimEnd()).filter((line) => line && !USUAL.test(line));
  const trouble = [...new Set(lines.filter((line) => TROUBLE.test(line)))];
  return (trouble.length > 0 ? trouble : lines).slice(-count).map((line) => `  ${line}`).join('\n');
}
