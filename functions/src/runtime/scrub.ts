/** Longest text of an error that is logged, and that is looked at, characters: one that is longer repeats what somebody sent. */
const longest = 500;
const mostScrubbed = 10_000;

/** What may be somebody's, wherever it stands in the text of an error. */
const personal: readonly [RegExp, string][] = [
  // What is quoted is what somebody sent, from the first quote to the last: a text may hold quotes of its own.
  [/".*"/gs, '"…"'],
  [/`.*`/gs, '`…`'],
  [/(?<!\w)'.*'(?!\w)/gs, "'…'"],
  [/\S+@\S+/g, '…@…'],
  [/\busers\/[^/\s]+/g, 'users/…'],
  [/\bpresence\/([^/\s]+)\/[^/\s]+/g, 'presence/$1/…'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '…'],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi, '…'],
  // Tokens, keys, account ids. Ids of sessions and turns are shorter.
  [/[\w+/=-]{24,}/g, '…'],
];

/** The text of an unexpected error without what may be somebody's: what is quoted, addresses, account ids, tokens. */
export function scrubbed(text: string): string {
  if (text.length > mostScrubbed) return '…';
  return personal.reduce((left, [what, instead]) => left.replace(what, instead), text).slice(0, longest);
}

/** The lines of a stack that say where; those before them repeat the text of the error. */
export function placesOf(stack: string | undefined, text: string): string | undefined {
  const places = (stack ?? '').replace(text, '').split('\n').filter((line) => /^\s+at .*(?::\d+:\d+\)?|\(<anonymous>\)|\(native\))$/.test(line));
  return places.length === 0 ? undefined : places.map((line) => line.trim()).join('\n');
}
