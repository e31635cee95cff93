import assert from 'node:assert/strict';

/** Most characters that an answer to bad input has, and most of them that it repeats in a row. */
const mostCharacters = 8_000;
const mostRepeated = 300;

/** Fails when an answer is long, or repeats a long part of what was sent. */
export function assertNoEcho(answer: string, sent: string): void {
  assert.ok(answer.length <= mostCharacters, `an answer of ${answer.length} characters: ${answer.slice(0, 300)}`);
  // Whatever repeats so much holds one of these halves.
  const half = mostRepeated / 2;
  for (let at = 0; at + half <= answer.length; at += half) assert.ok(!sent.includes(answer.slice(at, at + half)), `the answer repeats: ${answer.slice(at, at + half)}`);
}
