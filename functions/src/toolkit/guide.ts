import { cutAtWord, plainText } from '../memory/memory.ts';
import type { SessionConfig } from '../sessions/schema.ts';

/** A product's specialization, as far as it is a guide to look things up in. */
export type Guide = SessionConfig['specialization'];

const mostPassages = 2_000;
const passageCharacters = 400;
const deepest = 8;
const mostFound = 3;

/** The passages of a guide that share words with a topic, best first, three at most; a word that few passages have counts for more. */
export function lookUp(guide: Guide, topic: string): string[] {
  const passages = passagesOf(guide).map((text) => ({ text, words: wordsOf(text) }));
  const weights = [...wordsOf(topic)].map((word) => ({ word, weight: 1 / passages.filter(({ words }) => words.has(word)).length }));
  const scored = passages.map(({ text, words }) => ({ text, score: weights.reduce((score, { word, weight }) => score + (words.has(word) ? weight : 0), 0) }));
  return scored.filter(({ score }) => score > 0).sort((left, right) => right.score - left.score).slice(0, mostFound).map(({ text }) => text);
}

/** The words of a text, whatever their case. */
function wordsOf(text: string): Set<string> {
  return new Set(text.normalize('NFKC').toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu));
}

/** A guide as `path: text` for each of its texts and numbers; long texts become several. */
export function passagesOf(guide: Guide): string[] {
  return guide === null ? [] : flatten('', guide, 0).slice(0, mostPassages);
}

function flatten(path: string, value: unknown, depth: number): string[] {
  if (depth > deepest || value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => flatten(path, item, depth + 1));
  if (typeof value === 'object') return Object.entries(value).flatMap(([name, inner]) => flatten(path === '' ? name : `${path}.${name}`, inner, depth + 1));
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return [];
  return pieces(plainText(String(value), Infinity)).map((text) => cutAtWord(`${path}: ${text}`, passageCharacters));
}

/** A text in pieces that leave room for a path, each ending after a whole word where there is one. */
function pieces(text: string): string[] {
  return text.match(/\S.{0,299}(?=\s|$)|\S{1,300}/gsu) ?? [];
}
