import type { UsageLine } from './schema.ts';

/**
 * The lines of the DOFs (from, to] of a session in their order, each DOF once: what comes twice (checkpoints overlap
 * after a retry) is taken once, lines beyond `to` are left out, and what no line explains becomes one without a
 * request, dated by the line after it or `endedAt` (ms).
 */
export function seamless(lines: UsageLine[], from: number, to: number, endedAt: number): UsageLine[] {
  const whole: UsageLine[] = [];
  let reached = from;
  // Of two lines with one end the narrower comes first: it is the better explanation.
  for (const line of lines.toSorted((a, b) => a.to - b.to || b.from - a.from)) {
    if (line.to <= reached || line.to > to) continue;
    if (line.from > reached) whole.push(unexplained(reached, line.from, line.at));
    whole.push(line.from < reached ? { ...line, from: reached } : line);
    reached = line.to;
  }
  if (reached < to) whole.push(unexplained(reached, to, endedAt));
  return whole;
}

function unexplained(from: number, to: number, at: number): UsageLine {
  return { requestId: '', turnId: '', at, from, to, outcome: 'unknown', estimated: true, provider: 'unknown', model: '', input: { frame: null, instruction: false, audioSeconds: 0 }, usage: {} };
}
