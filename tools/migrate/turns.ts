import type { TurnDoc } from '../../functions/src/history/schema.ts';
import type { Said } from './messages.ts';

/** Most characters of what was said, and of the reply: a turn has to fit into a document. */
export const maxTurnChars = 100_000;

/** The turns of a conversation, oldest first, and which of them each message is part of. */
export interface PairedTurns {
  turns: TurnDoc[];
  turnOf: Map<string, TurnDoc>;
  dropped: string[];
}

/** Who took a turn, and when the first one was where nobody knows. */
export interface PairingFacts {
  /** The account of who sent a message. */
  accountOf: (said: Said) => string;
  /** ms since the epoch. */
  startedAt: number;
}

/**
 * Pairs what users said with the replies: every message of a user begins a turn, and the replies up to the next one are
 * its reply, without the pieces of one that is there as a whole. Replies before the first message of a user are a turn in
 * which nothing was said. A turn is dated by its last message that has a time, but always after the one before.
 */
export function pairTurns(said: Said[], { accountOf, startedAt }: PairingFacts): PairedTurns {
  const dropped: string[] = [];
  const turnOf = new Map<string, TurnDoc>();
  let last = startedAt - 1;
  const turns = groupsOf(said).map((group, index): TurnDoc => {
    const turnId = `legacy-${String(index + 1).padStart(6, '0')}`;
    const cut = (text: string, what: string): string => {
      if (text.length <= maxTurnChars) return text;
      dropped.push(`the last ${text.length - maxTurnChars} characters of ${what} turn ${turnId}`);
      return text.slice(0, maxTurnChars).toWellFormed();
    };
    const [first] = group;
    const replies = group.filter(({ from }) => from === 'agent');
    const whole = replies.some(({ partial }) => !partial) ? replies.filter(({ partial }) => !partial) : replies;
    last = Math.max(group.findLast(({ at }) => at !== null)?.at ?? 0, last + 1);
    const turn: TurnDoc = {
      turnId, by: accountOf(first!), at: last, outcome: 'complete', costDOFs: 0,
      said: first!.from === 'user' ? cut(first!.text, 'what was said in') : '',
      reply: cut(whole.map(({ text }) => text).join('\n\n'), 'the reply of'),
    };
    for (const { messageId } of group) if (messageId !== null) turnOf.set(messageId, turn);
    return turn;
  });
  return { turns, turnOf, dropped };
}

function groupsOf(said: Said[]): Said[][] {
  const groups: Said[][] = [];
  for (const each of said) {
    if (each.from === 'user' || groups.length === 0) groups.push([each]);
    else groups.at(-1)!.push(each);
  }
  return groups;
}
