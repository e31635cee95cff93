/** What a container tells of the length of the sound in it. */
export interface Length {
  /** Seconds whose samples were counted, packet by packet; no header had a say in it, except for the sample rate. */
  counted: number;
  /** Seconds that only a header speaks of. */
  claimed: number;
  /** Bytes that may hold more sound, which nobody could count. */
  unread: number;
}

/** A sound of which nothing could be read, not even that there is none. */
export const nothingRead = (bytes: Uint8Array): Length => ({ counted: 0, claimed: 0, unread: Math.max(1, bytes.length) });

/** Higher than any device records with; a false rate would make a long recording look short, and cheap. */
const highestSampleRate = 384_000;

/** Seconds of that many samples; 0 for a rate that no sound has, so that nothing is divided by 0. */
export const secondsAt = (samples: number, rate: number): number => (rate > 0 ? samples / Math.min(rate, highestSampleRate) : 0);

/** Bytes per second at 32 kbit/s, the lowest rate that speech is commonly sent with. */
const slowestBytesPerSecond = 4000;
/** Prices of more seconds would not be exact in a number. */
const mostSeconds = 1_000_000;

/**
 * Length in seconds, for pricing. What was counted is taken as it is: neither a generous bit rate makes it longer nor a
 * false header shorter. The rest is the greater of what its header claims and what its bytes are at 32 kbit/s, which is
 * all that there is against a header that lies. Where nothing was counted it is at least 1 s, and the bytes are rounded up.
 *
 * @returns 0 to 1,000,000; 0 only when nothing was counted and no byte is left in which sound could be.
 */
export function secondsOf({ counted, claimed, unread }: Length): number {
  if (counted === 0 && unread === 0) return 0;
  const bound = unread / slowestBytesPerSecond;
  const seconds = counted > 0 ? counted + Math.max(claimed, bound) : Math.max(1, claimed, Math.ceil(bound));
  // Sums of fractions end a little above or below a whole second, and a second begun is a second paid.
  return Math.min(mostSeconds, Math.max(0.001, Math.round(seconds * 1000) / 1000));
}
