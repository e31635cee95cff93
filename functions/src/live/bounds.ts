import type { ToolDeclaration } from '../providers/types.ts';

/** Rounds of function calls in one turn; after the last the model has to answer. */
export const maxToolRounds = 2;
/** Function calls that are carried out in one round. */
export const maxToolCalls = 4;
/** Characters of a function's result, as JSON, that the model gets to read. */
export const maxResultCharacters = 600;
/** What a character of a result weighs at most on average: its words may be of any script, its keys are not. */
const resultWeight = 3;
/** Earlier turns that a model is told of, and how much of each side of them. */
export const maxExchanges = 6;
/** In weight, as maxNoteCharacters. */
export const maxExchangeCharacters = 400;
/** What a model is told of all turns before those: the summary itself, in weight, and the note that quotes it, as JSON. */
export const maxSummaryCharacters = 600;
export const maxSummaryNoteCharacters = 660;
/** Further notes beside the prompt: what the agent remembers, and the objective. */
export const maxNotes = 6;
export const maxNoteCharacters = 520;

/** Letters of Latin script and below: about four of them are a token, two at least. */
const lastLatin = 0x24f;
/** How many of them one UTF-16 unit of another script weighs: up to 1.8 tokens were measured (Amharic; Chinese 1.1, emoji 1.5). */
const otherScripts = 4;

/** Characters of a text as far as tokens go: those of other scripts than Latin count several times. */
export function weightOf(text: string): number {
  let weight = 0;
  for (let index = 0; index < text.length; index++) weight += text.charCodeAt(index) > lastLatin ? otherScripts : 1;
  return weight;
}

/** A text cut to this weight, between two characters. */
export function cutToWeight(text: string, most: number): string {
  let weight = 0;
  let end = 0;
  for (const character of text.toWellFormed()) {
    weight += weightOf(character);
    if (weight > most) break;
    end += character.length;
  }
  return text.toWellFormed().slice(0, end);
}

/** A note that weighs no more than this as it is written: as JSON, in which a quotation mark is two characters. */
export function fittingNote(note: string, most: number): string {
  const written = weightOf(JSON.stringify(note));
  // Half of the bound always fits; more does when few characters are written as two.
  return written <= most ? note : cutToWeight(note, Math.max(most / 2 - 2, most - (written - weightOf(note))));
}

/** What a turn's model may read. */
interface Reading {
  prompt: string;
  instruction: string | undefined;
  /** Whether it is told of earlier turns: of the last ones, and a summary of those before. */
  conversation: boolean;
  /** Whether it is told what the agent remembers, and the objective. */
  notes: boolean;
  tools: ToolDeclaration[];
  maxOutputTokens: number;
}

/** Header and list marks of the notes, which only a conversation has. */
const notesHead = 100;
/** Most characters that a token of a function call becomes. */
const charactersPerToken = 4;

/** Most characters of text that a model reads over all calls of a turn; the price that is held relies on it. */
export function mostCharacters({ prompt, instruction, conversation, notes, tools, maxOutputTokens }: Reading): number {
  const once = weightOf(prompt) + weightOf(instruction ?? '')
    + (conversation ? maxExchanges * maxExchangeCharacters * 2 + notesHead + maxSummaryNoteCharacters : 0)
    + (notes ? maxNotes * maxNoteCharacters : 0)
    + (tools.length === 0 ? 0 : JSON.stringify(tools).length);
  if (tools.length === 0) return once;
  // The first round is read again by every call after it, the second by one fewer.
  const round = maxToolCalls * maxResultCharacters * resultWeight + maxOutputTokens * charactersPerToken;
  return once * (1 + maxToolRounds) + round * ((maxToolRounds * (maxToolRounds + 1)) / 2);
}
