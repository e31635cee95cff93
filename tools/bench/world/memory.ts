import { readFileSync } from 'node:fs';
import { UserError } from '../../errors.ts';

const mebibyte = 1_024;

/** MiB of memory that a process has now, and has had at most. Linux tells both. */
export function memoryOf(pid: number): { residentMiB: number; peakMiB: number } {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    throw new UserError('Memory is read from /proc: run P10 on Linux.');
  }
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { residentMiB: kibibytes('VmRSS') / mebibyte, peakMiB: kibibytes('VmHWM') / mebibyte };
}
