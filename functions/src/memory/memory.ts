import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { ModelTarget } from '../providers/types.ts';
import type { MemoryDoc, memoryView } from './schema.ts';

/** Most characters of a memory. */
export const mostMemoryCharacters = 500;

/** Most facts that one agent keeps. */
export const mostFacts = 200;

const turnLifeMs = 90 * 24 * 60 * 60 * 1000;
const mostInstructionCharacters = 180;
const mostReplyCharacters = 290;

/** Control characters and line breaks: they could make one text look like two. */
const breaks = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;
/** What nobody sees but a model reads: zero-width spaces, overrides of the direction, tags. Joiners stay, which some scripts and emoji need. */
const unseen = /[\u00AD\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

/** A text on one line, of what can be seen only, cut to `most` characters at the end of a word. */
export function plainText(text: string, most: number): string {
  return cutAtWord(text.toWellFormed().normalize('NFC').replace(unseen, '').replace(breaks, ' ').trim(), most);
}

/** A text of at most `most` characters (UTF-16 units): what is longer ends with an ellipsis, after a whole word unless the last word is longer than half of it. */
export function cutAtWord(text: string, most: number): string {
  if (text.length <= most) return text;
  const room = text.slice(0, most - 1);
  const end = text[most - 1] === ' ' ? room.length : room.lastIndexOf(' ');
  // The cut may lie between the two halves of a character.
  const kept = (end > most / 2 ? room.slice(0, end) : room.replace(/[\uD800-\uDBFF]$/, '')).trimEnd();
  return `${kept}…`;
}

/** The id of a fact: the same for texts that differ in case, blanks or the form of their letters only. */
export function factId(fact: string): string {
  const normal = plainText(fact.normalize('NFKC'), mostMemoryCharacters).toLowerCase();
  return `fact-${createHash('sha256').update(normal).digest('base64url')}`;
}

/** What an agent remembers of a turn: what was said by both, each cut to its share. */
export function turnSummary({ instruction, reply }: { instruction: string; reply: string }): string {
  return `Player: ${plainText(instruction, mostInstructionCharacters)} Agent: ${plainText(reply, mostReplyCharacters)}`;
}

/** When a turn that is remembered at `now` is forgotten; ms since the epoch, both. */
export function turnExpiry(now: number): number {
  return now + turnLifeMs;
}

/** Whether a memory is to be forgotten at `now` (ms): Firestore deletes it some time after its moment. */
export function isExpired({ expiresAt }: Pick<MemoryDoc, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt.toMillis() <= now;
}

/** How the model that made a vector is kept with it. */
export function embeddedWith({ provider, model }: ModelTarget): string {
  return `${provider}/${model}`;
}

/** What an owner is shown of a memory: all but its vector and whose model made it. */
export type ShownMemory = Pick<MemoryDoc, 'kind' | 'text' | 'sessionId' | 'turnId' | 'createdAt' | 'expiresAt'> & { memoryId: string };

/** A memory as the owner of the agent sees it. */
export function toMemoryView({ createdAt, expiresAt, ...memory }: ShownMemory): z.input<typeof memoryView> {
  return { ...memory, createdAt: createdAt.toDate().toISOString(), expiresAt: expiresAt?.toDate().toISOString() ?? null };
}
