import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process of this machine; id and command together survive the reuse of an id. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  command: string;
}

/** Reads the output of `ps -A -o pid=,ppid=,command=`. */
export function parsePs(output: string): ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }] : [];
  });
}

function readProc(pid: string): ProcessEntry[] {
  try {
    // The name in parentheses may itself hold parentheses and spaces; the parent's id follows the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return [];
    return [{ pid: Number(pid), parent: Number(parent), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
  } catch {
    return [];
  }
}

/** Every live process. Small Linux images come without `ps`, so /proc goes first. */
function listProcesses(): ProcessEntry[] {
  if (existsSync('/proc/self/stat')) return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap(readProc);
  return parsePs(spawnSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).stdout);
}

/** Everything below a process, at any depth. */
export function descendants(pid: number, processes = listProcesses()): ProcessEntry[] {
  const children = processes.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendants(child.pid, processes)]);
}

/** Those of the given processes that still run. */
export function survivors(known: Iterable<ProcessEntry>, processes = listProcesses()): ProcessEntry[] {
  const now = new Map(processes.map((entry) => [entry.pid, entry.command]));
  return [...known].filter(({ pid, command }) => now.get(pid) === command);
}

/** Sends a signal to a process that may have just ended. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
