import { embeddingDimension, type EmbeddingProvider } from '../types.ts';
import { unlessAborted } from './timing.ts';

/**
 * Embeddings that need no key and no network: every word, and every three neighbouring characters of a word, adds to one
 * of the dimensions, which a hash picks (https://en.wikipedia.org/wiki/Feature_hashing). Texts that share words, or words
 * with a common stem, are near each other; meaning is not known. The same text always gives the same vector, for storing
 * and for finding.
 */
export function offlineEmbeddings(): EmbeddingProvider {
  return { name: 'offline', embed: ({ texts, signal }) => unlessAborted(signal, () => texts.map(vectorOf)) };
}

/** What three characters weigh against a whole word. */
const trigramWeight = 0.3;

function vectorOf(text: string): number[] {
  const vector = new Array<number>(embeddingDimension).fill(0);
  const add = (feature: string, weight: number) => {
    const hash = hashOf(feature);
    const at = hash % embeddingDimension;
    // With either sign, so that features that meet in one dimension cancel out as often as they add up.
    vector[at] = (vector[at] ?? 0) + (hash >>> 31 === 0 ? weight : -weight);
  };
  for (const word of wordsOf(text)) {
    add(`word ${word}`, 1);
    const characters = [...` ${word} `];
    for (let index = 0; index + 3 <= characters.length; index += 1) add(characters.slice(index, index + 3).join(''), trigramWeight);
  }
  const length = Math.hypot(...vector);
  // A text without words has no direction of its own.
  return length === 0 ? vector.fill(1 / Math.sqrt(embeddingDimension)) : vector.map((value) => value / length);
}

/** Letters and digits in one spelling, and pictographs one by one. */
function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+|\p{Extended_Pictographic}/gu) ?? [];
}

/** FNV-1a, 32 bits, over UTF-16 units, with the mixing at the end that its upper bits need. */
function hashOf(feature: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < feature.length; index += 1) hash = Math.imul(hash ^ feature.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
