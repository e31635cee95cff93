import type { ToolDeclaration } from '../providers/types.ts';

/** Rounds of function calls in one turn; after the last the model has to answer. */
export const maxToolRounds = 2;
/** Function calls that are carried out in one round. */
export const maxToolCalls = 4;
/** Characters of a function's result, as JSON, that the model gets to read. */
export const maxResultCharacters = 600;
/** Earlier turns that a model is told of, and how much of each side of them. */
export const maxExchanges = 6;
export const maxExchangeCharacters = 300;
/** Notes beside the prompt: what the agent remembers, and the objective. */
export const maxNotes = 6;
export const maxNoteCharacters = 520;

/** What a turn's model may read. */
interface Reading {
  prompt: string;
  instruction: string | undefined;
  /** Whether it is told of earlier turns. */
  conversation: boolean;
  /** Whether it is told what the agent remembers. */
  notes: boolean;
  tools: ToolDeclaration[];
  maxOutputTokens: number;
}

/** Most characters that a token of a function call becomes. */
const charactersPerToken = 4;

/** Most characters of text that a model reads over all calls of a turn; the price that is held relies on it. */
export function mostCharacters({ prompt, instruction, conversation, notes, tools, maxOutputTokens }: Reading): number {
  const once = prompt.length + (instruction?.length ?? 0)
    + (conversation ? maxExchanges * maxExchangeCharacters * 2 : 0)
    + (notes ? maxNotes * maxNoteCharacters : 0)
    + (tools.length === 0 ? 0 : JSON.stringify(tools).length);
  if (tools.length === 0) return once;
  // The first round is read again by every call after it, the second by one fewer.
  const round = maxToolCalls * maxResultCharacters + maxOutputTokens * charactersPerToken;
  return once * (1 + maxToolRounds) + round * ((maxToolRounds * (maxToolRounds + 1)) / 2);
}
