import { vendorDown } from './failures.ts';
import { embeddingDimension, type ProviderName } from './types.ts';

/**
 * The vectors of a vendor's answer, scaled to length 1: shortened vectors are not always normalised
 * (https://ai.google.dev/gemini-api/docs/embeddings#quality-for-smaller-dimensions), and a similarity needs it.
 *
 * @param count Number of texts that were sent; as many vectors have to come back.
 * @throws AppError unavailable (provider_unavailable) for another number of vectors or of dimensions, for anything
 *   that is not a finite number, and for a vector without a direction.
 */
export function unitVectors(provider: ProviderName, vectors: unknown, count: number): number[][] {
  if (!Array.isArray(vectors) || vectors.length !== count) throw vendorDown(provider);
  return vectors.map((vector: unknown) => unitVector(vector) ?? fail(provider));
}

function unitVector(vector: unknown): number[] | null {
  if (!Array.isArray(vector) || vector.length !== embeddingDimension) return null;
  const numbers = vector.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const length = Math.hypot(...numbers);
  if (numbers.length !== vector.length || length === 0 || !Number.isFinite(length)) return null;
  return numbers.map((value) => value / length);
}

function fail(provider: ProviderName): never {
  throw vendorDown(provider);
}
