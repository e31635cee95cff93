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
