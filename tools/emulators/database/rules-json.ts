/** The dialect of JSON that rules are written in: with comments, and strings over several lines. */

/** Parses the text of rules; an error begins with the line and column it was found at. */
export function parseRulesJson(source: string): unknown {
  const plain = toPlainJson(source);
  try {
    return JSON.parse(plain);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    // An error without a position means that the text ends too soon.
    const before = plain.slice(0, position === undefined ? plain.length : Number(position)).split('\n');
    const column = (before.at(-1) ?? '').length + 1;
    throw new Error(`${before.length}:${column}: ${message.replace(/ in JSON at position.*/s, '')}`, { cause: error });
  }
}

/** Replaces comments, and line breaks within strings, by blanks, so that every position stays what it was. */
function toPlainJson(source: string): string {
  const piece = /"(?:\\[^]|[^"\\])*"|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return source.replace(piece, (text) => text.startsWith('"') ? text.replace(/[\r\n\t]/g, ' ') : text.replace(/[^\n]/g, ' '));
}

/** Where the expression of a rule stands. */
export interface ExpressionPlace {
  /** Keys that lead to it from `rules`; the last is `.read`, `.write` or `.validate`. */
  path: string[];
  /** The offset in the source of a character of the expression, or of what follows its last. */
  offsetOf: (index: number) => number;
}

/** Finds the expressions of rules that `parseRulesJson` has accepted. */
export function expressionPlaces(source: string): ExpressionPlace[] {
  const tokens = [...toPlainJson(source).matchAll(/"(?:\\[^]|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g)];
  const places: ExpressionPlace[] = [];
  const open: string[] = [];
  let key = '';
  for (const [position, { 0: text, index }] of tokens.entries()) {
    if (text === '{') open.push(key);
    else if (text === '}') open.pop();
    else if (tokens[position + 1]?.[0] === ':') key = JSON.parse(text) as string;
    // The outermost object and `rules` are no part of the path.
    else if (text !== ':' && text !== ',' && ['.read', '.write', '.validate'].includes(key)) places.push({ path: [...open.slice(2), key], offsetOf: offsetsIn(text, index) });
  }
  return places;
}

/** Characters of a string that is written with escapes stand further to the right than in the string itself. */
function offsetsIn(text: string, start: number): (index: number) => number {
  if (!text.startsWith('"')) return (index) => start + index;
  const offsets = [...text.slice(1, -1).matchAll(/\\u.{4}|\\?[^]/g)].map(({ index }) => start + 1 + index);
  return (index) => offsets[index] ?? start + text.length - 1;
}
