import { unreported, usageFrom, type VendorCounts } from './usage.ts';
import type { Exchange, ModelEvent, ModelOutcome, ModelRequest, ToolCall, ToolDeclaration } from './types.ts';

/** Function calls that one reply may ask for; what it asks for beyond is not read. */
export const mostCalls = 8;
/** Longest name of a function, and the characters in it, that both vendors take. */
const longestName = 64;
const otherThanName = /[^\w-]/g;
/** Longest id of a call that OpenAI takes back. */
const longestId = 40;
const ownId = /^unnamed-\d+$/;

/** Earlier turns, user and model by turns. Vendors refuse empty texts, so a turn that got no reply is left out. */
export function earlier(history: Exchange[] = []): { user: string; model: string }[] {
  return history.filter(({ reply }) => reply !== '').map(({ instruction, reply }) => ({ user: instruction || '(no words)', model: reply }));
}

/** The functions that were called in this turn, for a request that offers none any more. */
export function calledBefore({ rounds = [] }: ModelRequest): Pick<ToolDeclaration, 'name' | 'description'>[] {
  const names = new Set(rounds.flatMap(({ calls }) => calls.map(({ name }) => name)));
  return [...names].map((name) => ({ name, description: 'No longer available.' }));
}

/** A function call as a vendor gave it. */
export interface GivenCall {
  id?: string | null | undefined;
  name?: string | null | undefined;
  args: unknown;
  signature?: string | undefined;
}

/** A model's call, fit to be given back to any vendor: a short id and name. What else is wrong with it is for the toolkit to say. */
export function toolCall({ id, name, args, signature }: GivenCall, index: number): ToolCall {
  return {
    id: id?.slice(0, longestId) || `unnamed-${index}`,
    name: name?.replace(otherThanName, '_').slice(0, longestName) || 'unnamed',
    args,
    ...(signature === undefined ? {} : { signature }),
  };
}

/** The id that the vendor gave a call, if it did. */
export function givenId({ id }: ToolCall): string | undefined {
  return ownId.test(id) ? undefined : id;
}

/** What a reply came to. */
export interface Reply {
  text: string;
  calls: ToolCall[];
  outcome: ModelOutcome;
  counts: VendorCounts;
}

/**
 * The end of a reply: the function calls, unless it was cut or refused, and `done`. Nothing, as if the vendor had broken
 * off, for a reply that calls functions although none were offered: it is no answer.
 */
export function* ending(request: ModelRequest, { text, calls, outcome, counts }: Reply): Generator<ModelEvent, void> {
  const wanted = outcome === 'complete' ? calls : [];
  if (wanted.length > 0) {
    if (!request.tools?.length) return;
    yield { type: 'calls', calls: wanted };
  }
  const written = calls.length === 0 ? text : text + JSON.stringify(calls.map(({ name, args }) => [name, args]));
  yield { type: 'done', outcome, usage: usageFrom(counts, request, written), ...unreported(counts) };
}
