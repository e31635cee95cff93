import type { AgentFacts, Meter, Play, TurnFacts } from './facts.ts';
import { formatBar, formatMs, formatNumber, keepEnd, tellNews, Wrapper } from './text.ts';

/** Tells what happens while it happens. */
export interface Narrator {
  say: (line: string) => void;
  player: (who: { email: string; displayName: string; agents: AgentFacts[]; agent: AgentFacts }) => void;
  session: (session: Play['session']) => void;
  turn: (turn: { kind: TurnFacts['kind']; index: number; count: number; instruction: string | null }) => void;
  /** A piece of the reply, as the call streams it. */
  text: (text: string) => void;
  /** The meter, as the listener reports it. */
  meter: (meter: Meter) => void;
  answered: (turn: TurnFacts) => void;
  /** No turn will follow. */
  ending: () => void;
}

/** Where to: a terminal gets a progress line that is drawn over, everything else gets plain lines. */
export interface Output {
  write: (text: string) => void;
  isTTY: boolean;
  columns: number;
}

const LABEL_WIDTH = 11;
/** Left margin of everything that is said about a label. */
export const label = (name: string): string => `  ${name.padEnd(LABEL_WIDTH)}`;
const BAR_WIDTH = 24;

/** Says nothing but the steps: for output that a program reads. */
export function quietNarrator(say: (line: string) => void): Narrator {
  const nothing = () => undefined;
  return { say, player: nothing, session: ({ sessionId }) => say(`Session ${sessionId} started.`), turn: nothing, text: nothing, meter: nothing, answered: nothing, ending: () => say('Ending the session and waiting for its settlement.') };
}

/** Tells the whole story on a terminal or in plain lines. */
export function createNarrator({ write, isTTY, columns }: Output): Narrator {
  let meter: Meter | undefined;
  /** The most that the meter has shown: a full bar. */
  let most = 0;
  let current = { kind: 'frame' as TurnFacts['kind'], index: 0, count: 0 };
  let reply = '';
  let before = '';
  let ms = 0;
  let wrapper: Wrapper | undefined;
  const say = (line: string) => write(`${isTTY ? '\r\x1b[2K' : ''}${line}\n`);
  const draw = () => {
    if (!isTTY || current.count === 0 || wrapper) return;
    const share = meter && most > 0 ? meter.remaining / most : 1;
    const head = `${label('frame')}${String(current.index + 1).padStart(2)}/${current.count}  ▕${formatBar(share, BAR_WIDTH)}▏ ${formatNumber(meter?.remaining ?? 0)} DOFs  ${String(ms).padStart(4)} ms  `;
    // A line wider than the terminal could not be drawn over.
    write(`\r\x1b[2K${`${head}${keepEnd(reply, columns - head.length - 1)}`.slice(0, columns - 1)}`);
  };
  const speak = (who: string) => {
    write(`${isTTY ? '\r\x1b[2K' : ''}${label(who)}`);
    wrapper = new Wrapper({ width: columns, indent: label(''), write });
  };
  const fallSilent = () => {
    wrapper?.end();
    wrapper = undefined;
    write('\n');
  };
  return {
    say,
    player({ email, displayName, agents, agent }) {
      say(`${label('player')}${displayName}, signed in as ${email}`);
      const rows = agents.map((one) => `${one.name.padEnd(14)}${`${one.provider} ${one.rank}`.padEnd(18)}${formatNumber(one.currentDOFs).padStart(8)} DOFs${one === agent ? '  <- plays' : ''}`);
      rows.forEach((row, index) => say(label(index === 0 ? 'agents' : '') + row));
    },
    session: ({ sessionId, livePath, remainingDOFs }) => {
      say(`${label('session')}${sessionId}, may spend ${formatNumber(remainingDOFs)} DOFs`);
      say(`${label('listener')}on ${livePath}: the meter below is what it hears\n`);
    },
    turn({ kind, index, count, instruction }) {
      current = { kind, index, count };
      reply = '';
      // The first reply is told as it comes, to show what one looks like; the others of frames as news.
      if (instruction !== null) say(`${isTTY ? '\n' : ''}${label('you')}${instruction}`);
      if (kind === 'instruction' || index === 0) speak('agent');
      else draw();
    },
    text(text) {
      reply += text;
      if (wrapper) wrapper.add(text);
      else draw();
    },
    meter(heard) {
      meter = heard;
      most = Math.max(most, heard.remaining);
      draw();
    },
    answered(turn) {
      ms = turn.ms;
      const told = wrapper !== undefined;
      if (told) fallSilent();
      if (!isTTY) {
        const remaining = meter ? `${formatNumber(meter.remaining)} DOFs left` : '';
        const what = turn.kind === 'frame' ? `frame ${String(current.index + 1).padStart(2)}/${current.count}` : 'answer';
        say(`  ${what.padEnd(LABEL_WIDTH)}  ${remaining}  ${formatMs(turn.ms).padStart(6)}${turn.spokenSeconds === null ? '' : `  spoken, ${turn.spokenSeconds.toFixed(1)} s`}${told ? '' : `  ${tellNews(turn.reply, before)}`}`);
      } else {
        if (told) write('\n');
        draw();
      }
      before = turn.kind === 'frame' ? turn.reply : before;
    },
    ending() {
      // What is left is released at the end, so the meter falls to nothing: not a sight to end with.
      current.count = 0;
      write(isTTY ? '\n\n' : '\n');
    },
  };
}
