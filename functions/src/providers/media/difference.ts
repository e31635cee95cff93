import { cells, compare } from './pixels.ts';

/** Bytes of a fingerprint; null for a text that is none. */
export function parseFingerprint(text: string | undefined): Buffer | null {
  if (!text) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === cells * cells ? bytes : null;
}

/**
 * Share of the picture that changed between two fingerprints, 0 to 1 in steps of 1/64; null when there is nothing to
 * compare. Noise and JPEG artefacts count as no change; a figure of a fifteenth of the picture's height that stands out and
 * moves by its own size is one. Compare with the last frame that was answered, not the last one seen, or a slow change goes unnoticed.
 */
export function difference(before: string | undefined, now: string): number | null {
  const [previous, current] = [parseFingerprint(before), parseFingerprint(now)];
  return previous && current && compare(previous, current).amount;
}
