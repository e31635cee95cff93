import type { LegacyMessage } from '../../functions/src/imports/legacy-schema.ts';
import { toMillis } from './moments.ts';
import { senderOf, type Person } from './people.ts';

/** One thing that was said in a conversation. */
export interface Said {
  from: 'user' | 'agent';
  text: string;
  /** ms since the epoch; null where the message does not tell. */
  at: number | null;
  by: Person | null;
  messageId: string | null;
  /** A piece of a reply that was being streamed. */
  partial: boolean;
}

const users = new Set(['user', 'player', 'human']);
const agents = new Set(['assistant', 'dm', 'gm', 'ai', 'agent', 'model', 'bot', 'narrator']);
const unsaid = new Set(['system', 'developer', 'tool', 'function']);

/** What was said in a conversation, in its order, and what of it is not taken over: a count and a sentence each. */
export function readMessages(messages: LegacyMessage[]): { said: Said[]; dropped: string[] } {
  const said: Said[] = [];
  const dropped = new Map<string, number>();
  const known = new Set<string>();
  for (const message of messages) {
    const read = readMessage(message, known);
    if (typeof read === 'string') {
      dropped.set(read, (dropped.get(read) ?? 0) + 1);
      continue;
    }
    said.push(read);
    // A reply has the id of its pieces.
    if (!read.partial) known.add(keyOf(read.from, read.messageId));
  }
  return { said, dropped: [...dropped].map(([what, count]) => `${count} ${count === 1 ? 'message' : 'messages'} ${what}`) };
}

/** What a message says, or why it is left out. */
function readMessage(message: LegacyMessage, known: Set<string>): Said | string {
  const role = message.role.trim().toLowerCase();
  if (unsaid.has(role)) return `of the ${role}`;
  if (!users.has(role) && !agents.has(role)) return `of the unknown role ${JSON.stringify(role)}`;
  // Members read the turns of all members.
  if (message.response_type === 'private') return 'for one player alone';
  const from = users.has(role) ? 'user' : 'agent';
  const messageId = message.message_id || null;
  if (messageId !== null && known.has(keyOf(from, messageId))) return 'already read';
  const text = textOf(message.content);
  if (text === '') return 'without text';
  return { from, text, at: toMillis(message.timestamp ?? message.time ?? message.created_at), by: senderOf(message), messageId, partial: message.response_type === 'streaming' };
}

/** What was asked and the reply to it may have one id. */
const keyOf = (from: Said['from'], messageId: string | null): string => `${from} ${messageId}`;

/** The parts of a structured message that were shown to players, in the order in which they are read. */
const shownParts = ['narrative', 'answer'] as const;
/** Where a structured message has its text otherwise; the first that has any. */
const otherParts = ['player_response', 'response', 'combined_prompt', 'text', 'content', 'message'] as const;

/** The text of a message: as it is, or of the parts of a structured one that players saw. Empty where there is none. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content.trim().toWellFormed();
  if (Array.isArray(content)) return content.map(textOf).filter((text) => text !== '').join('\n\n');
  if (typeof content !== 'object' || content === null) return '';
  const parts = content as Record<string, unknown>;
  const shown = shownParts.map((part) => textOf(parts[part])).filter((text) => text !== '');
  if (shown.length > 0) return withoutRepeats(shown).join('\n\n');
  return otherParts.map((part) => textOf(parts[part])).find((text) => text !== '') ?? '';
}

/** Without the texts that another one contains. */
function withoutRepeats(texts: string[]): string[] {
  return texts.filter((text, index) => !texts.some((other, at) => at !== index && other.includes(text) && (other !== text || at < index)));
}
